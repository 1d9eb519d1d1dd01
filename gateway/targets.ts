import { isIP } from 'node:net';
import { isPrivateAddress, plainHost } from '../platform/addresses.ts';
import { OperationError } from '../platform/errors.ts';
import { addressesIn } from '../skills/routing/spoken-urls.ts';
import type { SpokenAddress } from '../skills/routing/spoken-urls.ts';
import { listedAs } from '../skills/targets.ts';
import type { Target } from '../skills/targets.ts';

/** Endings of names that belong to one machine or one network; what they lead to is nobody's public site. */
const PRIVATE_ENDINGS = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|private|home\.arpa)$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Longer hosts are no names; see RFC 1035. */
const MAX_HOST_CHARS = 253;

/** Why an address nobody listed is not opened; null when it is a plain public one. */
const refusalOf = ({ url, authority }: SpokenAddress): string | null => {
  const parsed = URL.parse(url);
  if (!parsed) return `"${authority.slice(0, 80)}" is no address that can be read`;
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    return `${parsed.protocol} addresses are not opened, only http and https`;
  const { hostname } = parsed;
  if (authority.includes('@') || parsed.username !== '' || parsed.password !== '')
    return `${hostname} is said with a user name`;
  const host = plainHost(hostname);
  const said = plainHost(authority.toLowerCase().replace(/:\d+$/, ''));
  const family = isIP(host);
  if (family === 6) return `${host} is an IPv6 address`;
  if (family === 4 && isPrivateAddress(host)) return `${host} is a private address`;
  if (family === 4 && said !== host) return `${said} is an address in disguise`;
  if (host === 'localhost') return 'localhost is a private address';
  if (hostname.endsWith('.') || /\.(?::\d+)?$/.test(authority)) return `${hostname} ends in a dot`;
  if (family === 0 && !host.includes('.')) return `${host} is not a public name`;
  if (PRIVATE_ENDINGS.test(host)) return `${host} is a private name`;
  if (host.split('.').some((label) => label.startsWith('xn--'))) return `${host} looks like other names`;
  if (family === 0 && !host.split('.').every((label) => LABEL.test(label))) return `${host.slice(0, 80)} is no name`;
  if (host.length > MAX_HOST_CHARS) return `${host.slice(0, 80)}… is too long a name`;
  if (parsed.port !== '') return `${host}:${parsed.port} names a port`;
  return null;
};

/**
 * The addresses said in a clause, as targets of its job alone: a listed one under its own name, any other public one
 * under its host's. Names are looked up when the browser opens them, and those that lead to private addresses are
 * refused there (`activities/browser/egress.ts`).
 * @throws OperationError Forbidden for an address that is not public and that nobody listed.
 */
export const spokenTargets = (text: string, targets: readonly Target[]): Target[] => {
  const found: Target[] = [];
  for (const address of addressesIn(text)) {
    const listed = listedAs(address, targets);
    const refusal = listed ? null : refusalOf(address);
    if (refusal !== null) throw new OperationError('Forbidden', `${refusal}; list it in TARGETS_FILE to allow it`);
    const target = listed ?? { name: plainHost(new URL(address.url).hostname), url: address.url };
    if (!found.some(({ url }) => url === target.url)) found.push(target);
  }
  return found;
};

/**
 * What one job may open: the target its parameters name and the addresses its clause names, and no other; every target
 * when its parameters name none. A name nobody configured opens nothing, rather than something else.
 * @throws OperationError Forbidden as `spokenTargets`.
 */
export const targetsFor = (
  targets: readonly Target[],
  parameters: Readonly<Record<string, unknown>>,
  text = '',
): Target[] => {
  const wanted = parameters['target'];
  const values = Object.values(parameters).filter(
    (value): value is string => typeof value === 'string' && /^\w+:\/\//.test(value),
  );
  const spoken = spokenTargets([...values, text].join('\n'), targets);
  const named =
    typeof wanted === 'string' && !values.includes(wanted) ? targets.filter(({ name }) => name === wanted) : null;
  const others = named ?? (typeof wanted === 'string' ? [] : targets);
  return [...spoken, ...others.filter(({ name }) => !spoken.some((target) => target.name === name))];
};
