import { z } from 'zod';
import { Sha256 } from '../../contracts/task.ts';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { ProblemError } from '../problems.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';

/** What a browser may show; everything else is saved to a file, so that nothing an agent made runs as a page. */
const INLINE: Readonly<Record<string, string>> = {
  'image/png': 'image/png',
  'text/plain': 'text/plain; charset=utf-8',
  'application/json': 'application/json',
};

/** A file name for a header: RFC 6266, with a plain form for old readers. */
const disposition = (kind: 'inline' | 'attachment', name: string): string => {
  const plain = name.replace(/[^\w. -]/g, '_');
  const coded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${kind}; filename="${plain}"; filename*=UTF-8''${coded}`;
};

export const artifactRoutes = (artifacts: Pick<ArtifactStore, 'describe' | 'get'>): Route[] => [
  defineRoute({
    method: 'get',
    path: '/artifacts/{sha256}',
    summary: 'What a job left, by its hash',
    params: z.strictObject({ sha256: Sha256 }),
    replies: { 200: { description: 'The bytes', mediaType: 'application/octet-stream' } },
    problems: ['not-found'],
    handle: async ({ params: { sha256 } }) => {
      const about = await artifacts.describe(sha256);
      if (!about) throw new ProblemError('not-found', `no artifact ${sha256}`);
      const shown = INLINE[about.media_type.split(';')[0]?.trim().toLowerCase() ?? ''];
      return {
        status: 200,
        headers: {
          'content-type': shown ?? 'application/octet-stream',
          'content-disposition': disposition(shown ? 'inline' : 'attachment', about.name),
          'content-security-policy': "default-src 'none'; sandbox",
          'cache-control': 'private, max-age=31536000, immutable',
        },
        bytes: await artifacts.get(sha256),
      };
    },
  }),
];
