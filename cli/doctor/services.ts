import { connect } from 'node:net';
import { Problem } from '../../contracts/replies.ts';
import { openRegistry } from '../../skills/registry.ts';
import { createLog } from '../../platform/log.ts';
import { messageOf } from '../../platform/errors.ts';
import { skewFinding } from './machine.ts';
import { fail, lastLine, ok, run, warn } from './check.ts';
import type { Check, Finding, Patient } from './check.ts';
import { temporalCliOf } from './programs.ts';

const CONNECT_MS = 2_000;
const REQUEST_MS = 5_000;
/** Distance of Temporal's Web UI from its port. */
const UI_OFFSET = 1_000;

/** Whether something accepts a connection there. */
export const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(CONNECT_MS, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });

const portIn = (environment: Patient['environment'], name: string, otherwise: number): number => {
  const port = Number(environment[name] ?? otherwise);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : otherwise;
};

const temporalAddress = ({ environment }: Patient): { host: string; port: number; given: boolean } => {
  const given = environment['TEMPORAL_ADDRESS'];
  const at = given?.lastIndexOf(':') ?? -1;
  if (given !== undefined && at > 0)
    return { host: given.slice(0, at), port: Number(given.slice(at + 1)) || 7_233, given: true };
  return { host: '127.0.0.1', port: portIn(environment, 'TEMPORAL_PORT', 7_233), given: given !== undefined };
};

export const checkTemporalServer: Check = async (patient) => {
  const name = 'temporal server';
  const { host, port, given } = temporalAddress(patient);
  const address = `${host}:${port}`;
  if (!(await answers(host, port))) {
    return [
      given
        ? fail(
            name,
            `nothing answers at ${address}`,
            'start it, or correct TEMPORAL_ADDRESS (unset: make dev starts its own)',
          )
        : warn(name, `not running (${address})`, 'make dev   (starts it with everything else)'),
    ];
  }
  const { path } = temporalCliOf(patient);
  if (path === null) return [ok(name, `something listens at ${address}`)];
  const health = await run(path, ['operator', 'cluster', 'health', '--address', address], patient, REQUEST_MS);
  return [
    health.ok && /SERVING/.test(health.output)
      ? ok(name, `serving at ${address}`)
      : fail(
          name,
          `what listens at ${address} does not answer as Temporal: ${lastLine(health.output)}`,
          'dual doctor in a moment, or see who has that port',
        ),
  ];
};

interface Answer {
  status: number;
  text: string;
  date: string | null;
}

const ask = async (url: string, token: string | null, signal: AbortSignal): Promise<Answer | null> => {
  try {
    const response = await fetch(url, {
      ...(token === null ? {} : { headers: { authorization: `Bearer ${token}` } }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]),
    });
    return {
      status: response.status,
      text: (await response.text()).slice(0, 100_000),
      date: response.headers.get('date'),
    };
  } catch {
    return null; // nobody there, or nobody who speaks HTTP: the caller says so
  }
};

const detailOf = (text: string): string => {
  try {
    const problem = Problem.safeParse(JSON.parse(text)).data;
    return problem?.detail ?? problem?.title ?? lastLine(text);
  } catch {
    return lastLine(text).slice(0, 200);
  }
};

export const checkGateway: Check = async ({ settings, environment, signal }) => {
  const { gatewayUrl } = settings;
  const health = await ask(`${gatewayUrl}/health`, null, signal);
  if (health === null) {
    return [
      environment['WSL_GATEWAY_URL'] === undefined
        ? warn('gateway', `not running (${gatewayUrl})`, 'make dev')
        : fail('gateway', `nothing answers at ${gatewayUrl}`, 'start it with make dev, or correct WSL_GATEWAY_URL'),
    ];
  }
  if (health.status !== 200)
    return [
      fail(
        'gateway',
        `what listens at ${gatewayUrl} is not our gateway (${health.status})`,
        'see who has that port, or choose another with WSL_GATEWAY_PORT',
      ),
    ];
  const findings =
    health.date === null ? [] : [skewFinding(Date.now() - Date.parse(health.date), "the gateway's clock")];
  const token = settings.token();
  if (token === null)
    return [
      ...findings,
      fail('gateway', 'runs, but there is no token for it', `the file is ${settings.tokenFile}; or set GATEWAY_TOKEN`),
    ];
  const ready = await ask(`${gatewayUrl}/ready`, token, signal);
  if (ready === null)
    return [...findings, fail('gateway', `stopped answering at ${gatewayUrl}`, 'look at the output of make dev')];
  if (ready.status === 401)
    return [
      ...findings,
      fail(
        'gateway',
        'runs, but does not accept our token',
        `is ${settings.tokenFile} that of the running gateway? GATEWAY_TOKEN beats it`,
      ),
    ];
  if (ready.status !== 200)
    return [
      ...findings,
      fail(
        'gateway',
        `runs, but is not ready: ${detailOf(ready.text)}`,
        'are Temporal and a worker running? make dev starts both',
      ),
    ];
  return [ok('gateway', `ready at ${gatewayUrl}`), ...findings];
};

/** What `make dev` will want to listen on. Ports that our own running stack holds are fine. */
export const checkPorts: Check = async (patient) => {
  const { environment, settings, signal } = patient;
  const metricsPort = portIn(environment, 'WORKER_METRICS_PORT', 9_465);
  const temporal = temporalAddress(patient);
  const gateway = new URL(settings.gatewayUrl);
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(gateway.hostname);
  const ours = async (url: string, expected: RegExp): Promise<boolean> =>
    expected.test((await ask(url, null, signal))?.text ?? '');
  const wanted = [
    ...(temporal.given
      ? []
      : [
          { port: temporal.port, who: 'Temporal', change: 'TEMPORAL_PORT', isOurs: async () => true },
          {
            port: temporal.port + UI_OFFSET,
            who: 'Temporal Web UI',
            change: 'TEMPORAL_PORT',
            isOurs: () => answers('127.0.0.1', temporal.port),
          },
        ]),
    ...(local
      ? [
          {
            port: Number(gateway.port || 80),
            who: 'gateway',
            change: 'WSL_GATEWAY_PORT',
            isOurs: async () => (await ask(`${settings.gatewayUrl}/health`, null, signal))?.status === 200,
          },
        ]
      : []),
    {
      port: metricsPort,
      who: 'worker metrics',
      change: 'WORKER_METRICS_PORT',
      isOurs: () => ours(`http://127.0.0.1:${metricsPort}/metrics`, /dual_orchestrator_|temporal_/),
    },
  ];
  const findings: Finding[] = [];
  for (const { port, who, change, isOurs } of wanted) {
    if (!(await answers('127.0.0.1', port)) || (await isOurs())) continue;
    findings.push(
      fail(
        'ports',
        `${port} (${who}) is in use by another program`,
        `end it (ss -ltnp shows who), or choose another with ${change}`,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('ports', `${wanted.map(({ port }) => port).join(', ')}: free, or ours`)];
};

export const checkSkills: Check = async ({ settings }) => {
  try {
    const registry = await openRegistry({
      dir: settings.skillsDir,
      log: createLog('dual', (text) => text, 'silent'),
      watch: false,
    });
    registry.close();
    const { skills, quarantined } = registry.current();
    const findings = quarantined.map(({ file, reason }) =>
      warn('skills', `${file} is left out: ${reason}`, 'correct it; dual skills check looks closer'),
    );
    if (skills.length === 0) findings.push(fail('skills', `no skill in ${settings.skillsDir}`, 'correct SKILLS_DIR'));
    return findings.length > 0 ? findings : [ok('skills', `${skills.length} in ${settings.skillsDir}`)];
  } catch (error) {
    return [fail('skills', messageOf(error), 'correct SKILLS_DIR')];
  }
};
