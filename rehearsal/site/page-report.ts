/** What `page_report` said of one page. Lists may be cut; `more` counts what was left out, by section. */
export interface PageReport {
  url: string;
  title: string;
  /** HTTP status of the document; null: none was received. */
  status: number | null;
  /** Pixels that are below what is in view. */
  below: number;
  headings: { level: number; text: string }[];
  links: { text: string; href: string }[];
  forms: { name: string; method: string; action: string; fields: { type: string; label: string }[] }[];
  images: { problem: string; src: string }[];
  consoleErrors: { text: string; where: string }[];
  failedRequests: { outcome: string; method: string; url: string }[];
  notes: string[];
  more: Record<string, number>;
}

const STRING = '"(?:[^"\\\\]|\\\\.)*"';
const unquote = (text: string | undefined): string => {
  try {
    return text === undefined ? '' : String(JSON.parse(text));
  } catch {
    return text ?? ''; // a report that was cut inside a string
  }
};

/** Items of every section, with the lines indented below each. */
const sectionsOf = (lines: readonly string[]): Map<string, { line: string; below: string[] }[]> => {
  const sections = new Map<string, { line: string; below: string[] }[]>();
  let items: { line: string; below: string[] }[] = [];
  for (const line of lines) {
    const head = /^## (.+) \(\d+\)$/.exec(line);
    if (head) {
      items = [];
      sections.set(head[1] ?? '', items);
    } else if (line.startsWith('- ')) items.push({ line: line.slice(2), below: [] });
    else if (line.startsWith('  - ')) items.at(-1)?.below.push(line.slice(4));
  }
  return sections;
};

const PLACE = '(?: at -?\\d+,-?\\d+)?';
const LINK = new RegExp(`^(${STRING}) (.*?)${PLACE}$`);
const FORM = new RegExp(`^form (${STRING}) (\\S+) (.*)$`);
const FIELD = new RegExp(`^(\\S+) (${STRING})`);
const ERROR = new RegExp(`^(${STRING})(?: from (.*))?$`);

/** Reads the text of `page_report`; null when it is none. Lines it does not know are passed over. */
export const readPageReport = (text: string): PageReport | null => {
  const start = text.indexOf('# Page report\n');
  if (start < 0) return null;
  const lines = text.slice(start).split('\n');
  const field = (name: string): string =>
    lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
  const sections = sectionsOf(lines);
  const more: Record<string, number> = {};
  const items = <T>(
    section: string,
    pattern: RegExp,
    read: (match: RegExpExecArray, below: readonly string[]) => T,
  ): T[] =>
    (sections.get(section) ?? []).flatMap(({ line, below }) => {
      const rest = /^… (\d+) more$/.exec(line);
      if (rest) more[section] = Number(rest[1]);
      const match = rest ? null : pattern.exec(line);
      return match ? [read(match, below)] : [];
    });
  const scrolled = /^(\d+) of (\d+) pixels$/.exec(field('scrolled'));
  return {
    url: field('url'),
    title: unquote(field('title') || undefined),
    status: /^\d+$/.test(field('status')) ? Number(field('status')) : null,
    below: scrolled ? Math.max(0, Number(scrolled[2]) - Number(scrolled[1])) : 0,
    headings: items('Headings', new RegExp(`^h(\\d) (${STRING})$`), ([, level, said]) => ({
      level: Number(level),
      text: unquote(said),
    })),
    links: items('Links', LINK, ([, said, href = '']) => ({ text: unquote(said), href })),
    forms: items('Forms', FORM, ([, name, method = '', action = ''], below) => ({
      name: unquote(name),
      method,
      action,
      fields: below.flatMap((line) => {
        const match = FIELD.exec(line);
        return match ? [{ type: match[1] ?? '', label: unquote(match[2]) }] : [];
      }),
    })),
    images: items('Images', /^(no alt|not loaded): (.*)$/, ([, problem = '', src = '']) => ({ problem, src })),
    consoleErrors: items('Console errors', ERROR, ([, said, where = '']) => ({ text: unquote(said), where })),
    failedRequests: items('Failed requests', /^(\S+) ([A-Z]+) (.*)$/, ([, outcome = '', method = '', url = '']) => ({
      outcome,
      method,
      url,
    })),
    notes: items('Notes', /^(.+)$/, ([, note = '']) => note),
    more,
  };
};
