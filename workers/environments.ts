import { join } from 'node:path';
import type { Environment } from '../activities/environment.ts';
import type { Environments } from '../activities/sessions.ts';
import { ENVIRONMENTS } from '../contracts/names.ts';
import type { EnvironmentName } from '../contracts/names.ts';
import type { ArtifactStore } from '../platform/artifacts.ts';
import { fromRoot } from '../platform/env.ts';
import type { Closer } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import type { Scrub } from '../platform/secrets.ts';
import type { WorkerConfig } from './config.ts';

interface Given {
  config: WorkerConfig;
  artifacts: ArtifactStore;
  log: Log;
  scrub: Scrub;
  signal: AbortSignal;
}

/**
 * Every environment there is; its code is loaded only where its role is. To add one: a folder below activities/ and a
 * line here (a test compares the two).
 */
export const ENVIRONMENT_FACTORIES: Record<EnvironmentName, (given: Given) => Promise<Environment>> = {
  coding: async ({ config, artifacts, log, scrub, signal }) => {
    const { createCodingEnvironment, prepareExampleWorkspace } = await import('../activities/coding/index.ts');
    const source = fromRoot('examples/workspace');
    const target = join(config.dataDir, 'example-workspace');
    return createCodingEnvironment({
      repository: config.repository ?? (await prepareExampleWorkspace({ source, target, signal })),
      dataDir: join(config.dataDir, 'sessions'),
      sandbox: config.sandbox,
      bwrapPath: config.bwrapPath,
      artifacts,
      log,
      scrub,
      networkAllow: config.networkAllow,
      deployAllow: config.deployAllow,
      path: config.path,
    });
  },
  browser: async ({ config, artifacts, log }) => {
    const { createBrowserEnvironment } = await import('../activities/browser/index.ts');
    return createBrowserEnvironment({ chromiumPath: config.chromiumPath, artifacts, log });
  },
};

/** The environments of this worker's roles; what they opened is closed by `closer`. */
export const openEnvironments = async (given: Given, closer: Closer): Promise<Environments> => {
  const opened = new Map<EnvironmentName, Environment>();
  for (const name of ENVIRONMENTS) {
    if (!given.config.roles.has(name)) continue;
    const environment = await ENVIRONMENT_FACTORIES[name](given);
    closer.add(`${name} environment`, () => environment.dispose());
    opened.set(name, environment);
  }
  return opened;
};
