import { z } from 'zod';
import { Agent } from '../../contracts/agent.ts';
import { Skill } from '../../contracts/skill.ts';
import type { Registry } from '../../skills/registry.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';

const SkillListing = z.strictObject({
  version: z.string(),
  skills: z.array(Skill),
  quarantined: z.array(z.strictObject({ file: z.string(), reason: z.string() })),
});
const AgentListing = z.strictObject({ version: z.string(), agents: z.array(Agent) });

export const skillRoutes = (registry: Pick<Registry, 'current'>): Route[] => [
  defineRoute({
    method: 'get',
    path: '/skills',
    summary: 'What people can ask for, and the files that are set aside, with their reasons',
    replies: { 200: { description: 'The registry as it is served now', schema: SkillListing } },
    handle: async () => {
      const { version, skills, quarantined } = registry.current();
      return { status: 200, json: { version, skills, quarantined } };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/agents',
    summary: 'Who does it: models, tools, limits',
    replies: { 200: { description: 'The agents that are served now', schema: AgentListing } },
    handle: async () => {
      const { version, agents } = registry.current();
      return { status: 200, json: { version, agents } };
    },
  }),
];
