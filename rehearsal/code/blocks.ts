/** A declaration at the left margin of a file, with the comment right above it. Lines count from 0; `to` is after the last. */
export interface Block {
  file: string;
  from: number;
  /** First line of the code itself, after the comment. */
  codeFrom: number;
  to: number;
  doc: string;
  code: string;
  kind: 'function' | 'constant' | 'class' | 'type' | 'import' | 'other';
  /** null: it declares nothing that has a name. */
  name: string | null;
  exported: boolean;
}

const DECLARATIONS: [Block['kind'], RegExp][] = [
  ['import', /^(?:import\b|from\s+\S+\s+import\b|(?:const|let|var)\s+.*=\s*require\(|use\s|package\s)/],
  ['function', /^(?<exported>export\s+)?(?:default\s+)?(?:async\s+)?function\s*\*?\s*(?<name>[\w$]+)/],
  [
    'function',
    /^(?<exported>export\s+)?const\s+(?<name>[\w$]+)\s*(?::[^=]+)?=\s*(?:async\s*)?(?:function\b|(?:<[^>]*>\s*)?\(|[\w$]+\s*=>)/,
  ],
  ['class', /^(?<exported>export\s+)?(?:default\s+)?(?:abstract\s+)?class\s+(?<name>[\w$]+)/],
  ['type', /^(?<exported>export\s+)?(?:declare\s+)?(?:const\s+)?(?:type|interface|enum)\s+(?<name>[\w$]+)/],
  ['constant', /^(?<exported>export\s+)?(?:const|let|var)\s+(?<name>[\w$]+)/],
  ['function', /^(?:async\s+)?def\s+(?<name>\w+)/],
  ['function', /^func\s+(?:\([^)]*\)\s*)?(?<name>\w+)/],
  ['function', /^(?<exported>pub\s+)?(?:async\s+)?fn\s+(?<name>\w+)/],
  ['constant', /^(?<name>[A-Za-z_]\w*)\s*(?::[^=]+)?=[^=]/],
];

const isComment = (line: string): boolean => /^(?:\/\/|\/\*|\*|#|@)/.test(line);
/** A line that can only go on with what is above it. */
const goesOn = (line: string): boolean =>
  line === '' || /^[\s})\]]/.test(line) || /^(?:else|catch|finally|then|\|)/.test(line);

/** Splits a formatted source file at its left margin; the languages rehearsal meets all put declarations there. */
export const splitBlocks = (file: string, text: string): Block[] => {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length;) {
    const from = at;
    while (at < lines.length && isComment(lines[at] ?? '')) {
      const opens = (lines[at] ?? '').startsWith('/*');
      while (opens && at < lines.length - 1 && !(lines[at] ?? '').includes('*/')) at += 1;
      at += 1;
    }
    if (at >= lines.length) break;
    if ((lines[at] ?? '').trim() === '') {
      at += 1;
      continue;
    }
    const codeFrom = at;
    at += 1;
    while (at < lines.length && goesOn(lines[at] ?? '')) at += 1;
    let to = at;
    while (to > codeFrom + 1 && (lines[to - 1] ?? '').trim() === '') to -= 1;
    const code = lines.slice(codeFrom, to).join('\n');
    const [kind, match] = declarationOf(code);
    blocks.push({
      file,
      from,
      codeFrom,
      to,
      doc: lines.slice(from, codeFrom).join('\n'),
      code,
      kind,
      name: match?.groups?.name ?? null,
      exported: match?.groups?.exported !== undefined,
    });
  }
  return blocks;
};

const declarationOf = (code: string): [Block['kind'], RegExpExecArray | null] => {
  for (const [kind, pattern] of DECLARATIONS) {
    const match = pattern.exec(code);
    if (match) return [kind, match];
  }
  return ['other', null];
};

/** The code with the insides of strings and comments blanked, place for place, so that only code is left to match. */
export const maskStrings = (code: string): string => {
  let masked = '';
  let end: string | null = null;
  for (let at = 0; at < code.length; at += 1) {
    const char = code[at] ?? '';
    if (end === null) {
      const two = code.slice(at, at + 2);
      if (char === '"' || char === "'" || char === '`') end = char;
      else if (two === '//' && code[at - 1] !== ':') end = '\n';
      else if (two === '/*') end = '*/';
      masked += char;
    } else if (code.startsWith(end, at)) {
      masked += end;
      at += end.length - 1;
      end = null;
    } else if (end === '`' && code.startsWith('${', at)) {
      // Code inside a template string counts; a nested template there is rare enough to be left out.
      const close = code.indexOf('}', at);
      const inside = close < 0 ? code.slice(at) : code.slice(at, close + 1);
      masked += ` ${inside.slice(1)}`;
      at += inside.length - 1;
    } else if (char === '\\' && end.length === 1 && end !== '\n') {
      masked += '  ';
      at += 1;
    } else masked += char === '\n' ? '\n' : ' ';
  }
  return masked.slice(0, code.length);
};

/** Names used in a piece of code, strings and comments aside. */
export const namesIn = (code: string): Set<string> => new Set(maskStrings(code).match(/[A-Za-z_$][\w$]*/g) ?? []);
