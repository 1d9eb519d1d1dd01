import { posix } from 'node:path';
import { maskStrings } from './blocks.ts';

/** One name a JavaScript or TypeScript module imports. */
export interface ImportedName {
  local: string;
  imported: string;
  isType: boolean;
  specifier: string;
  /** Lines of the statement, from 0, `to` after the last. */
  from: number;
  to: number;
}

const STATEMENT = /^import\s+(type\s+)?\{([^}]*)\}\s+from\s+['"]([^'"]+)['"];?[ \t]*$/gm;

/** Names imported by `import { … } from`; other forms are left alone. */
export const importedNames = (text: string): ImportedName[] =>
  [...text.matchAll(STATEMENT)].flatMap((match) => {
    const from = text.slice(0, match.index).split('\n').length - 1;
    const to = from + match[0].split('\n').length;
    return (match[2] ?? '').split(',').flatMap((clause) => {
      const parts = /^\s*(type\s+)?([\w$]+)(?:\s+as\s+([\w$]+))?\s*$/.exec(clause);
      if (!parts) return [];
      const [, type, imported = '', alias] = parts;
      return [
        { local: alias ?? imported, imported, isType: Boolean(match[1] ?? type), specifier: match[3] ?? '', from, to },
      ];
    });
  });

/** Index after the last line of the last import statement; 0: there is none. */
export const afterImports = (text: string): number => {
  const lines = maskStrings(text).split('\n');
  let end = 0;
  for (let at = 0; at < lines.length; at += 1) {
    if (!/^import\b/.test(lines[at] ?? '')) continue;
    while (at < lines.length - 1 && !/['"];?\s*$/.test(lines[at] ?? '')) at += 1;
    end = at + 1;
  }
  return end;
};

/** How modules here write relative specifiers: `.ts`, `.js`, or no ending at all. */
export const specifierEnding = (text: string): string =>
  /from\s+['"]\.[^'"]*?(\.[cm]?[jt]sx?)['"]/.exec(text)?.[1] ?? (/from\s+['"]\./.test(text) ? '' : '.ts');

/** The specifier by which `from` imports the file `to`. */
export const specifierOf = (from: string, to: string, ending: string): string => {
  const path = posix.relative(posix.dirname(from), to.replace(/\.[cm]?[jt]sx?$/, ending));
  return path.startsWith('.') ? path : `./${path}`;
};

/** A relative specifier of `file`, as `other` has to write it; packages stay as they are. */
export const movedSpecifier = (file: string, specifier: string, other: string): string => {
  if (!specifier.startsWith('.')) return specifier;
  const path = posix.relative(posix.dirname(other), posix.join(posix.dirname(file), specifier));
  return path.startsWith('.') ? path : `./${path}`;
};

/** Import statements for names, one for each module, types apart. */
export const importLines = (
  names: readonly Pick<ImportedName, 'local' | 'imported' | 'isType' | 'specifier'>[],
): string[] => {
  const groups = new Map<string, string[]>();
  for (const { local, imported, isType, specifier } of names) {
    const key = `${isType ? 'import type' : 'import'}|${specifier}`;
    groups.set(key, [...(groups.get(key) ?? []), imported === local ? local : `${imported} as ${local}`]);
  }
  return [...groups]
    .sort(([a], [b]) => ((a.split('|')[1] ?? '') < (b.split('|')[1] ?? '') ? -1 : 1))
    .map(([key, clauses]) => {
      const [keyword, specifier] = key.split('|');
      return `${keyword} { ${[...new Set(clauses)].sort().join(', ')} } from '${specifier}';`;
    });
};
