import { OperationError } from '../../platform/errors.ts';

/** Names that models use, in lower case → Playwright's. Letters, digits and signs stand for themselves. */
const NAMES: Record<string, string> = {
  ...Object.fromEntries(
    [
      'Backspace',
      'Tab',
      'Enter',
      'Shift',
      'Control',
      'Alt',
      'Meta',
      'Escape',
      'Space',
      'Home',
      'End',
      'Insert',
      'Delete',
    ]
      .concat(['PageUp', 'PageDown', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'ContextMenu', 'CapsLock'])
      .concat(Array.from({ length: 12 }, (_, n) => `F${n + 1}`))
      .map((name) => [name.toLowerCase(), name]),
  ),
  return: 'Enter',
  ctrl: 'Control',
  controlormeta: 'Control',
  option: 'Alt',
  esc: 'Escape',
  del: 'Delete',
  ins: 'Insert',
  spacebar: 'Space',
  ' ': 'Space',
  page_up: 'PageUp',
  page_down: 'PageDown',
  pgup: 'PageUp',
  pgdn: 'PageDown',
  left: 'ArrowLeft',
  right: 'ArrowRight',
  up: 'ArrowUp',
  down: 'ArrowDown',
  // There is no Apple keyboard here: Command means what Control means.
  command: 'Control',
  cmd: 'Control',
  super: 'Meta',
  win: 'Meta',
  windows: 'Meta',
  semicolon: ';',
  equals: '=',
  plus: '+',
  minus: '-',
  add: '+',
  subtract: '-',
  multiply: '*',
  divide: '/',
  decimal: '.',
  comma: ',',
  separator: ',',
};

/** @throws OperationError BadInput for a name that is no key. */
export const keyOf = (name: string): string => {
  const known = Object.hasOwn(NAMES, name.toLowerCase()) ? NAMES[name.toLowerCase()] : undefined;
  if (known) return known;
  // One printable ASCII character; Playwright knows no key for others (they are for `type`).
  if (/^[!-~]$/.test(name)) return name;
  throw new OperationError('BadInput', `no key is called ${JSON.stringify(name.slice(0, 40))}`);
};

/** `Control+Shift+T`, `control++`, or a list, as keys to hold and at last to press. @throws OperationError BadInput */
export const keysOf = (combination: string | readonly string[]): string[] => {
  const names =
    typeof combination === 'string'
      ? combination.length > 1
        ? combination.replace(/\+\+$/, '+plus').split('+')
        : [combination]
      : combination;
  if (names.length === 0 || names.length > 5)
    throw new OperationError('BadInput', 'between one and five keys are needed');
  return names.map((name) => keyOf(name.length > 1 ? name.trim() : name));
};
