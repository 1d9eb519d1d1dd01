// Starts the edge with a Node that can run it. Plain JavaScript, since it runs on whatever Node types `npm run edge`.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, 'main.ts');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
// The oldest that runs TypeScript as it is; `engines` of package.json says the same.
const isNewEnough = major > 22 || (major === 22 && minor >= 18);

if (isNewEnough) {
  await import(pathToFileURL(main).href);
} else {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const pinned = join(here, '..', '.toolchain', 'node_modules', 'node', 'bin', name);
  if (existsSync(pinned)) {
    const child = spawn(pinned, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
    child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15)));
  } else {
    const how =
      process.platform === 'win32'
        ? 'winget install OpenJS.NodeJS.LTS   (then open a new PowerShell)'
        : 'make setup   (fetches one into .toolchain/)';
    console.error(`the edge needs Node 22.18 or newer; this is ${process.versions.node}.\nType: ${how}`);
    process.exit(2);
  }
}
