import { z } from 'zod';
import type { Environment } from '../platform/env.ts';
import { fromRoot, parseEnvironment } from '../platform/env.ts';

const Settings = z.object({
  REHEARSAL_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  SKILLS_DIR: z.string().transform(fromRoot).default(fromRoot('skills')),
  PATH: z.string().optional(),
  // Windows calls it so, and a copy of its environment knows it by that name only.
  Path: z.string().default(''),
});

export interface RehearsalConfig {
  /** 0: any free port. */
  port: number;
  logLevel: string;
  /** Skills whose words the speech recogniser knows. */
  skillsDir: string;
  /** Where a voice is looked for, as `PATH` has it. */
  programPath: string;
}

/** @throws ConfigError naming the variable. */
export const loadRehearsalConfig = (environment: Environment): RehearsalConfig => {
  const settings = parseEnvironment(Settings, environment);
  return {
    port: settings.REHEARSAL_PORT,
    logLevel: settings.LOG_LEVEL,
    skillsDir: settings.SKILLS_DIR,
    programPath: settings.PATH ?? settings.Path,
  };
};
