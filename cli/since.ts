import { UsageError } from './exit.ts';

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/**
 * A moment: ISO 8601 (`2026-11-25`, `2026-11-25T10:00:00Z`), or how long ago (`90m`, `2h`, `3d`).
 * @throws UsageError
 */
export const sinceOf = (text: string, now: number): string => {
  const ago = /^(\d{1,6})([smhdw])$/.exec(text);
  if (ago) return new Date(now - Number(ago[1]) * UNIT_MS[ago[2] as keyof typeof UNIT_MS]).toISOString();
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) {
    const at = Date.parse(text);
    if (Number.isFinite(at)) return new Date(at).toISOString();
  }
  throw new UsageError(`--since: "${text}" is no moment; write 2026-11-25, 2026-11-25T10:00:00Z, 90m, 2h or 3d`);
};
