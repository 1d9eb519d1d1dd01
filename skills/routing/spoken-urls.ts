import { digitsAt } from './numbers.ts';
import { markOf, spelledAt, tokensOf } from './spoken-words.ts';
import type { Token } from './spoken-words.ts';

/** An address that was said or written. Whether it may be opened is not decided here. */
export interface SpokenAddress {
  /** As the URL parser writes it; without a scheme said, https for names and http for this machine and numbers. */
  url: string;
  /** The host as it was said, before the URL parser made one form of it: "0x7f.1", "user@host". */
  authority: string;
  /** "https" or another scheme was said. */
  hasScheme: boolean;
  /** Characters of the text. */
  start: number;
  end: number;
}

/**
 * Endings by which a host is known where no scheme is said. Those that are also endings of files (md, rs, py, sh, pl,
 * cc, zip …) are missing on purpose: they need "https" or "www".
 */
const ENDINGS = new Set(
  'com org net io dev app edu gov info biz ai co tech cloud site website online shop store blog page xyz me tv example test local localhost internal lan invalid eu uk de fr nl us ca au jp cn in ch at be es it se no fi dk ie nz br mx ar cz pt gr hu ro tr ua kr sg hk tw za il nip'.split(
    ' ',
  ),
);
/** Things on the web: "the login page at example dot com" is no mail address. */
const ON_THE_WEB = new Set(
  'look looking page pages site sites website websites shop store form forms app application api server service home homepage start login checkout signup signin contact pricing link links image images it that this them one is are was running deployed available live hosted now version docs documentation blog dashboard portal staging production website’s content title headline up found there here starting host domain url address'.split(
    ' ',
  ),
);
/** Words before somebody: "write to bob at …". */
const BEFORE_SOMEBODY = new Set(
  'to as for from with by user mail email e-mail cc bcc contact notify tell ask'.split(' '),
);
const MAIL = new Set('mail mails email emails e-mail e-mails mailto inbox'.split(' '));
/** Numbers with dots behind these are versions. */
const VERSION = new Set('version versions v release releases tag upgrade update node'.split(' '));

const SCHEME = /^([a-z][a-z0-9+.-]{0,19}):\/\//i;
const isIpv4 = (host: string): boolean => /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host);
/** Addresses looked for in one text. */
const MAX_ADDRESSES = 20;

/** Marks said in one address; nobody spells longer ones. */
const MAX_MARKS = 24;

/** `text` grew from the tokens before `end`. */
interface Glued {
  text: string;
  end: number;
}

/** "https colon slash slash", "https slash slash", "https://"; `end` is the token of the host. */
const schemeAt = (tokens: readonly Token[], at: number): { scheme: string; end: number } | null => {
  const spelled = spelledAt(tokens, at);
  const word = spelled?.letters ?? tokens[at]?.key ?? '';
  let end = spelled?.end ?? at + 1;
  // The colon is a mark at the end of its word, or a word of its own.
  if (!/^(?:https?|ftp|file|wss?)$/.test(word)) return null;
  const colon = tokens[end]?.key === 'colon';
  if (colon) end += 1;
  if (tokens[end]?.key === '//' || tokens[end]?.key === '://') return { scheme: word, end: end + 1 };
  if (tokens[end]?.key === 'double' && tokens[end + 1]?.key === 'slash') return { scheme: word, end: end + 2 };
  if (tokens[end]?.key === 'slash' && tokens[end + 1]?.key === 'slash') {
    end += 2;
    return { scheme: word, end: word === 'file' && tokens[end]?.key === 'slash' ? end + 1 : end };
  }
  return null;
};

/** The text of one piece between marks: spelled letters, digits said in words, or a word as it is. */
const pieceAt = (tokens: readonly Token[], at: number): Glued | null => {
  const spelled = spelledAt(tokens, at);
  if (spelled) return { text: spelled.letters, end: spelled.end };
  const number = digitsAt(tokens, at);
  if (number) return { text: number.digits, end: number.end };
  const raw = tokens[at]?.raw ?? '';
  return raw === '' || raw === '//' ? null : { text: raw, end: at + 1 };
};

/** Puts pieces and marks together as long as they follow each other: "staging dot example dot com slash login". */
const glue = (tokens: readonly Token[], at: number): Glued | null => {
  const first = pieceAt(tokens, at);
  if (!first || markOf(tokens[at]) !== undefined) return null;
  let { text, end } = first;
  for (let marks = 0; end < tokens.length && marks < MAX_MARKS; marks++) {
    const mark = markOf(tokens[end]);
    if (mark !== undefined) {
      const next = pieceAt(tokens, end + 1);
      // "slash" at the end of an address stands for itself.
      if (!next || markOf(tokens[end + 1]) !== undefined) {
        if (mark === '/') {
          text += '/';
          end += 1;
          continue;
        }
        break;
      }
      text += mark + next.text;
      end = next.end;
    } else if (tokens[end]?.key === 'port' && !/[:/].*[:/]/.test(text.replace(SCHEME, ''))) {
      const port = digitsAt(tokens, end + 1);
      if (!port || port.digits.length > 5) break;
      text += `:${port.digits}`;
      end = port.end;
    } else break;
  }
  return { text, end };
};

/** Host, port and user as said; the path behind. */
const partsOf = (text: string): { scheme: string | null; authority: string; rest: string } => {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase() ?? null;
  const bare = text.replace(SCHEME, '');
  const cut = bare.search(/[/?#\\]/);
  return cut < 0
    ? { scheme, authority: bare, rest: '' }
    : { scheme, authority: bare.slice(0, cut), rest: bare.slice(cut) };
};

/** A host that is one by itself, without a scheme: with a known ending, this machine, or four numbers. */
const isHost = (authority: string): boolean => {
  const host = authority.replace(/:\d{1,5}$/, '').toLowerCase();
  if (host === 'localhost' || /^\[[0-9a-f:.]+\]$/.test(host)) return true;
  if (isIpv4(host)) return host.split('.').every((part) => Number(part) < 256);
  const labels = host.split('.');
  if (labels.length < 2 || labels.some((label) => !/^[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?$/u.test(label)))
    return false;
  const ending = labels.at(-1) ?? '';
  // "Open the app.It is slow": a space was forgotten.
  if (/[.]\p{Lu}\p{Ll}+$/u.test(authority) && !/^\p{Lu}/u.test(authority)) return false;
  if (labels.length === 2 && (labels[0] === 'a' || labels[0] === 'the')) return false;
  return labels[0] === 'www' ? /^\p{L}{2,}$/u.test(ending) : ENDINGS.has(ending) || /^xn--/.test(ending);
};

const parse = (text: string): Pick<SpokenAddress, 'url' | 'authority' | 'hasScheme'> | null => {
  const { scheme, authority, rest } = partsOf(text);
  if (scheme === null && !isHost(authority)) return null;
  const name = authority.toLowerCase();
  const isNumber = isIpv4(name.replace(/:\d+$/, '')) || name.startsWith('[');
  const here = /^localhost(?::\d+)?$/.test(name);
  const url = URL.parse(scheme === null ? `${here || isNumber ? 'http' : 'https'}://${authority}${rest}` : text);
  // Something with two slashes that is no address all the same is kept, so that it can be refused by name.
  if (!url) return scheme !== null && authority !== '' ? { url: text, authority, hasScheme: true } : null;
  return { url: url.href, authority, hasScheme: scheme !== null };
};

/** "bob at example dot com" is where somebody gets mail; "look at example dot com" is where a site is. */
const isMail = (tokens: readonly Token[], at: number): boolean => {
  if (at < 2 || tokens[at - 1]?.key !== 'at') return false;
  const who = tokens[at - 2]?.key ?? '';
  if (ON_THE_WEB.has(who)) return false;
  if (tokens.some(({ key }) => MAIL.has(key)) || at === 2) return true;
  const before = tokens[at - 3]?.key ?? '';
  return BEFORE_SOMEBODY.has(before) || markOf(tokens[at - 3]) !== undefined || /[._]/.test(who);
};

/** Whether anything in a text could be an address, cheaply: most sentences hold none. */
const MAY_HOLD = /\bdot\b|\blocalhost\b|[^\s.]\.[^\s.]|:\/\/|\bslash\b|:\[|\[[0-9a-f:]+\]/i;

/**
 * The web addresses in a text, written or said: "https colon slash slash staging dot example dot com slash login",
 * "example.com/path", "localhost port three thousand", "one two seven dot zero dot zero dot one". Mail addresses,
 * versions and names of files are none.
 */
export const addressesIn = (text: string): SpokenAddress[] => {
  if (!MAY_HOLD.test(text)) return [];
  const tokens = tokensOf(text);
  const found: SpokenAddress[] = [];
  for (let at = 0; at < tokens.length && found.length < MAX_ADDRESSES;) {
    const first = tokens[at] as Token;
    const said = schemeAt(tokens, at);
    const glued = glue(tokens, said?.end ?? at);
    // A mail address, written in one.
    const written = glued !== null && said === null && /^[^\s/:@]+@[^\s/@]+$/.test(glued.text);
    if (!glued || written || /^mailto:/i.test(first.raw)) {
      at = Math.max(at + 1, written ? glued.end : 0);
      continue;
    }
    const address = parse(said ? `${said.scheme}://${said.scheme === 'file' ? '/' : ''}${glued.text}` : glued.text);
    const version = VERSION.has(tokens[at - 1]?.key ?? '') && isIpv4(address?.authority ?? '');
    if (!address || version) {
      at += 1;
      continue;
    }
    if (!isMail(tokens, at) || address.hasScheme)
      found.push({ ...address, start: first.start, end: tokens[glued.end - 1]?.end ?? first.end });
    at = glued.end;
  }
  return found;
};

/** A text in which addresses are replaced by spaces: their words are names of nothing else. */
export const withoutAddresses = (text: string, addresses: readonly SpokenAddress[] = addressesIn(text)): string => {
  let rest = text;
  for (const { start, end } of addresses) rest = rest.slice(0, start) + ' '.repeat(end - start) + rest.slice(end);
  return rest;
};
