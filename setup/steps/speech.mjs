// What the tests speak and play with: Debian's packages when root. Tests that want what is not there skip, loudly.
import { existsSync } from 'node:fs';
import { findOnPath } from '../commands.mjs';
import { canUseApt, installDebianPackage } from '../debian.mjs';
import { say } from '../report.mjs';

const STEP = 'speech';
/** Voices, players, decoders, and recordings of people. */
const WANTED = [
  { package: 'flite', isThere: () => findOnPath(['flite']) !== null },
  { package: 'sox', isThere: () => findOnPath(['sox']) !== null },
  { package: 'espeak-ng', isThere: () => findOnPath(['espeak-ng']) !== null },
  { package: 'ffmpeg', isThere: () => findOnPath(['ffmpeg']) !== null },
  { package: 'asterisk-core-sounds-en-g722', isThere: () => existsSync('/usr/share/asterisk/sounds') },
  { package: 'pocketsphinx-testdata', isThere: () => existsSync('/usr/share/pocketsphinx/test') },
];

/** Installs what is missing where it can; says what stays missing. Never fails. */
export const findSpeech = async () => {
  const missing = () => WANTED.filter(({ isThere }) => !isThere()).map((one) => one.package);
  if (missing().length > 0 && canUseApt()) for (const name of missing()) await installDebianPackage(STEP, name);
  const left = missing();
  if (left.length > 0) say(STEP, `tests with spoken words will skip: sudo apt-get install -y ${left.join(' ')}`);
};
