// make check: format, lint, types and import directions. Every part runs, whatever the one before said.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './places.mjs';
import { closeWith } from './tally.mjs';

/** Folders whose imports have rules; one without code yet has none to break. */
const ROOMS =
  'contracts platform skills workflows activities workers gateway edge rehearsal dashboard cli dev bench evals tests';
const hasCode = (room) =>
  existsSync(join(ROOT, room)) &&
  readdirSync(join(ROOT, room), { recursive: true }).some(
    (name) => /\.tsx?$/.test(name) && !name.includes('node_modules'),
  );

const PARTS = [
  { name: 'format', commands: [['prettier', '--check', '--log-level', 'warn', '.']] },
  { name: 'lint', commands: [['eslint', '.', '--max-warnings', '0']] },
  {
    name: 'types',
    commands: [
      ['tsc', '-p', '.'],
      ['tsc', '-p', 'workflows'],
    ],
  },
  {
    name: 'directions',
    commands: [['depcruise', '--config', '.dependency-cruiser.cjs', ...ROOMS.split(' ').filter(hasCode)]],
  },
];

/** True when the command ended with 0; its output goes straight to the person. */
const succeeds = ([name, ...args]) =>
  new Promise((resolve) => {
    spawn(join(ROOT, 'node_modules', '.bin', name), args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] })
      .on('error', () => resolve(false))
      .on('close', (code) => resolve(code === 0));
  });

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const part of PARTS) {
  let good = true;
  for (const command of part.commands) good = (await succeeds(command)) && good;
  counts[good ? 'passed' : 'failed'] += 1;
  console.log(
    `check  ${part.name.padEnd(10)}  ${good ? 'good' : `FAILED (${part.commands.map((c) => c[0]).join(', ')})`}`,
  );
}
closeWith(counts);
