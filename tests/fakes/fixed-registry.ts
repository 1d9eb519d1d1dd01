import { Skill } from '../../contracts/skill.ts';
import type { Registry, RegistrySnapshot } from '../../skills/registry.ts';

/** A registry that never changes. */
export const fixedRegistry = (snapshot: RegistrySnapshot): Pick<Registry, 'current' | 'onChange'> => ({
  current: () => snapshot,
  onChange: () => () => undefined,
});

/** A snapshot of skills made up for a test: all of the coding agent, unless they say otherwise. */
export const madeSnapshot = (version: string, ...skills: Record<string, unknown>[]): RegistrySnapshot => ({
  version,
  skills: skills.map(madeSkill),
  agents: [],
  quarantined: [],
  instructionsOf: () => '',
});

export const madeSkill = (fields: Record<string, unknown>): Skill =>
  Skill.parse({ version: 1, agent: 'coding', description: 'x', ...fields });
