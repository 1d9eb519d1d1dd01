import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The real tool's absolute path. @throws when this machine has none. */
export const findOnPath = (name: string): string => {
  const places = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  const found = places.find(existsSync);
  if (found === undefined) throw new Error(`${name}: not on PATH`);
  return found;
};
