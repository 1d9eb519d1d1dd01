import { posix } from 'node:path';

const SPECIFIERS = [
  /\bfrom\s+['"](\.[^'"]+)['"]/g,
  /\b(?:require|import)\(\s*['"](\.[^'"]+)['"]/g,
  /^import\s+['"](\.[^'"]+)['"]/gm,
];
const PYTHON = [/^from\s+([\w.]+)\s+import\b/gm, /^import\s+([\w.]+)/gm];
const ENDINGS = ['', '.ts', '.tsx', '.js', '.jsx', '.mjs', '.cjs', '.mts', '/index.ts', '/index.js'];

/** Files of the repository that a file imports, as far as its text says. */
export const importedFiles = (file: string, text: string, files: readonly string[]): string[] => {
  const known = new Set(files);
  const found = new Set<string>();
  const folder = posix.dirname(file);
  if (file.endsWith('.py')) {
    for (const pattern of PYTHON)
      for (const [, module = ''] of text.matchAll(pattern)) {
        const path = `${module.replace(/^\.+/, '').replaceAll('.', '/')}.py`;
        const match = files.find((each) => each === path || each.endsWith(`/${path}`));
        if (match !== undefined) found.add(match);
      }
    return [...found];
  }
  if (file.endsWith('.go'))
    return files.filter((each) => posix.dirname(each) === folder && each.endsWith('.go') && each !== file);
  for (const pattern of SPECIFIERS)
    for (const [, specifier = ''] of text.matchAll(pattern)) {
      const path = posix.normalize(posix.join(folder, specifier));
      const stem = path.replace(/\.[cm]?[jt]sx?$/, '');
      const match = [path, ...ENDINGS.map((ending) => path + ending), ...ENDINGS.map((ending) => stem + ending)].find(
        (each) => known.has(each),
      );
      if (match !== undefined) found.add(match);
    }
  return [...found];
};

/** A test file by its name or its folder. */
export const isTestFile = (path: string): boolean =>
  /(?:^|\/)(?:tests?|__tests__|spec)\//.test(path) ||
  /(?:\.|_|-)(?:test|spec)\.\w+$/.test(path) ||
  /(?:^|\/)test_[^/]*\.py$/.test(path);

/** A file with code that rehearsal can read. */
export const isSourceFile = (path: string): boolean =>
  /\.(?:[cm]?[jt]sx?|py|go|rs)$/.test(path) && !path.endsWith('.d.ts');
