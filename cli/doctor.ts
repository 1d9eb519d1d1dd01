import { existsSync, readFileSync } from 'node:fs';
import { fromRoot } from '../platform/env.ts';
import { messageOf } from '../platform/errors.ts';
import type { Command, Context } from './command.ts';
import { fail, readFound } from './doctor/check.ts';
import type { Check, Finding, Patient } from './doctor/check.ts';
import { checkClock, checkDisk, checkFolders, checkNode, checkWsl } from './doctor/machine.ts';
import { checkChromium, checkGit, checkSandbox, checkTemporalCli, checkWorkspace } from './doctor/programs.ts';
import { checkGateway, checkPorts, checkSkills, checkTemporalServer } from './doctor/services.ts';
import { checkKeys, checkSettings, checkSetUp } from './doctor/settings.ts';
import { EXIT } from './exit.ts';
import { printable } from './words.ts';

/** Every look, in the order in which a person should mend things. */
export const CHECKS: Readonly<Record<string, Check>> = {
  settings: checkSettings,
  'set-up': checkSetUp,
  system: checkWsl,
  node: checkNode,
  git: checkGit,
  clock: checkClock,
  disk: checkDisk,
  folders: checkFolders,
  'temporal cli': checkTemporalCli,
  chromium: checkChromium,
  sandbox: checkSandbox,
  workspace: checkWorkspace,
  skills: checkSkills,
  models: checkKeys,
  ports: checkPorts,
  'temporal server': checkTemporalServer,
  gateway: checkGateway,
};

/** WSL says so in the kernel's release. */
const isWsl = (): boolean =>
  existsSync('/proc/sys/kernel/osrelease') && /microsoft/i.test(readFileSync('/proc/sys/kernel/osrelease', 'utf8'));

const patientOf = ({ settings, settingsProblem, signal }: Context): Patient => ({
  settings,
  settingsProblem,
  environment: settings.environment,
  found: readFound(fromRoot('.toolchain/found.json')),
  wsl: isWsl(),
  platform: process.platform,
  nodeVersion: process.versions.node,
  nodePath: process.execPath,
  signal,
});

/** All findings, in order; a look that breaks is a finding itself. */
export const examine = async (
  patient: Patient,
  checks: Readonly<Record<string, Check>> = CHECKS,
): Promise<Finding[]> => {
  const looks = Object.entries(checks).map(async ([name, check]) => {
    try {
      return await check(patient);
    } catch (error) {
      patient.signal.throwIfAborted();
      return [fail(name, `could not be looked at: ${messageOf(error)}`, 'tell us: this is a fault of ours')];
    }
  });
  return (await Promise.all(looks)).flat();
};

/** One line a finding, and beneath it what to do. */
export const diagnosisOf = (findings: readonly Finding[]): string => {
  const width = Math.max(...findings.map(({ name }) => name.length));
  return findings
    .map(({ name, status, what, todo }) =>
      [
        `${status.padEnd(4)}  ${name.padEnd(width)}  ${printable(what)}`,
        ...(todo === null ? [] : [`${' '.repeat(width + 8)}do: ${todo}`]),
      ].join('\n'),
    )
    .join('\n');
};

export const doctor: Command = {
  usage: 'doctor [--json]',
  summary: 'Look for everything that is missing or misconfigured, and say what to do.',
  help: `  --json  {"ok": true or false, "checks": [{"name", "status", "what", "todo"}]}

  Exit code: 1 when something fails; a warning is no failure.`,
  options: { json: { type: 'boolean' } },
  words: [0, 0],
  toleratesBadSettings: true,
  run: async (args, context) => {
    const findings = await examine(patientOf(context));
    const failed = findings.filter(({ status }) => status === 'fail').length;
    const warned = findings.filter(({ status }) => status === 'warn').length;
    if (args.flag('json')) context.out(JSON.stringify({ ok: failed === 0, checks: findings }));
    else {
      context.out(diagnosisOf(findings));
      context.out(failed + warned === 0 ? '\neverything is in place' : `\n${failed} failed, ${warned} warnings`);
    }
    return failed > 0 ? EXIT.failed : EXIT.succeeded;
  },
};
