import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, win32 } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { REPOSITORY_ROOT } from '../../platform/env.ts';

/** What can be known about Windows without one. What cannot is a list in docs/voice.md. */
const tracked = execFileSync('git', ['ls-files'], { cwd: REPOSITORY_ROOT, encoding: 'utf8' }).trim().split('\n');
const read = (path: string): string => readFileSync(join(REPOSITORY_ROOT, path), 'utf8');

/** The edge's own files, and what it brings along: all that Windows runs. */
const filesOfEdge = (): string[] => {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, target = ''] of read(path).matchAll(/(?:from|import\(|new URL\()\s*'(\.{1,2}\/[^']+\.ts)'/g))
      visit(join(path, '..', target).replaceAll('\\', '/'));
  };
  visit('edge/main.ts');
  return [...seen];
};

const POSIX_ONLY: readonly (readonly [RegExp, string])[] = [
  [/process\.kill\(/, 'signals to processes by number'],
  [/'SIG(?:STOP|CONT|USR1|USR2|HUP|QUIT|PIPE)'/, 'a signal Windows does not know'],
  [/'\/(?:dev|proc|tmp|etc|usr|bin)\b/, 'a path that is none on Windows'],
  [/\b(?:getuid|geteuid|getgid|setuid|umask)\b/, 'users as POSIX has them'],
  [/detached: true/, 'process groups'],
  [/shell: true/, 'a shell, which is another one there'],
  [/\.pathname\b.*(?:readFile|open|join)\(/, 'a URL path used as a file path'],
];

describe('the edge on Windows, as far as it can be told from here', () => {
  const files = filesOfEdge();

  it('is looked at whole', () => {
    expect(files.length).toBeGreaterThan(60);
    for (const file of ['edge/spool.ts', 'edge/adapters/silero-worker.ts', 'platform/lifecycle.ts'])
      expect(files).toContain(file);
  });

  it('calls nothing that only POSIX has', () => {
    const found = files.flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, at) =>
          POSIX_ONLY.filter(([pattern]) => pattern.test(line)).map(([, what]) => `${file}:${at + 1}: ${what}`),
        ),
    );
    expect(found).toEqual([]);
  });

  it('would find such calls', () => {
    for (const line of [
      "process.kill(pid, 'SIGSTOP')",
      "open('/dev/null')",
      'spawn(file, args, { detached: true })',
      'process.getuid?.() === 0',
    ])
      expect(POSIX_ONLY.some(([pattern]) => pattern.test(line))).toBe(true);
  });

  it('starts with one program and no shell`s tricks', () => {
    const { scripts } = JSON.parse(read('edge/package.json')) as { scripts: Record<string, string> };
    for (const script of Object.values(scripts)) expect(script).toMatch(/^node [\w./-]+$/);
    const root = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(root.scripts['edge']).toMatch(/^npm run [\w -]+$/);
  });

  it('brings no package that is built at install, and only prebuilt ones that may be missing', () => {
    const { dependencies, optionalDependencies } = JSON.parse(read('edge/package.json')) as Record<
      'dependencies' | 'optionalDependencies',
      Record<string, string>
    >;
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { hasInstallScript?: boolean }>;
    };
    const scripted = Object.keys({ ...dependencies, ...optionalDependencies }).filter(
      (name) => packages[`node_modules/${name}`]?.hasInstallScript,
    );
    // Its script downloads CUDA for Linux; the library itself is in the package, and the script is not allowed.
    expect(scripted).toEqual(['onnxruntime-node']);
    const { allowScripts } = JSON.parse(read('package.json')) as { allowScripts: Record<string, boolean> };
    expect(allowScripts['onnxruntime-node']).toBe(false);
    for (const name of ['express', '@temporalio/worker', 'playwright', '@anthropic-ai/sdk', '@google/generative-ai'])
      expect({ ...dependencies, ...optionalDependencies }).not.toHaveProperty(name);
  });

  it('can be checked out: no name that Windows refuses, none that differs by case alone, none too long', () => {
    const refused = /[<>:"|?*\\]|[. ](?:\/|$)|(?:^|\/)(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\/|$)/i;
    expect(tracked.filter((path) => refused.test(path))).toEqual([]);
    expect(new Set(tracked.map((path) => path.toLowerCase())).size).toBe(tracked.length);
    // MAX_PATH is 260; a checkout below C:\Users\<name>\ wants some of it.
    expect(tracked.filter((path) => win32.join('C:\\Users\\somebody\\source\\dual', path).length > 240)).toEqual([]);
  });
});
