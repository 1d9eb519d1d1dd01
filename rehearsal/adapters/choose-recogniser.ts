import { execFileSync } from 'node:child_process';
import { fromRoot } from '../../platform/env.ts';
import { prepareLanguage } from '../speech/language.ts';
import { createSpeechRecogniser } from '../speech/recogniser.ts';
import type { SpeechRecogniser } from '../speech-recogniser.ts';
import { createLibraryDecoder, findLibrary } from './pocketsphinx-library.ts';
import { createPythonDecoder, findWheel } from './pocketsphinx-python.ts';

export interface RecogniserChoice {
  /** The registry's data, for the words there are. */
  skillsFolder: string;
  /** Generated models; kept between starts. */
  cacheFolder?: string;
  /** What a child inherits (PATH and the like). */
  env: Readonly<Record<string, string>>;
  /** Default: the system's library where it is, else the wheel. */
  kind?: 'library' | 'wheel';
}

const INSTALL = `no speech recogniser is installed. Type: make setup   (as root on Debian: apt-get install libpocketsphinx3 pocketsphinx-en-us; elsewhere: python -m pip install --target .toolchain/pocketsphinx --only-binary :all: pocketsphinx==5.1.1)`;

const findPython = (env: Readonly<Record<string, string>>): string | null => {
  for (const name of process.platform === 'win32' ? ['python', 'py'] : ['python3', 'python']) {
    try {
      execFileSync(name, ['--version'], { env: { ...env }, stdio: 'ignore', timeout: 10_000 });
      return name;
    } catch {
      // not this one
    }
  }
  return null;
};

/** PocketSphinx on the system's library, or in a child of Python. @throws Error saying what to install */
export const chooseRecogniser = async (choice: RecogniserChoice): Promise<SpeechRecogniser> => {
  const { skillsFolder, env, kind, cacheFolder = fromRoot('.cache/rehearsal') } = choice;
  const prepare = (modelFolder: string) => prepareLanguage({ skillsFolder, modelFolder, cacheFolder });
  const write =
    (written: ReadonlyMap<string, string>) =>
    (heard: string): string =>
      heard
        .split(/\s+/)
        .filter((word) => /^[a-z0-9]/i.test(word)) // not <sil>, [NOISE] and the like
        .map((word) => written.get(word) ?? word)
        .join(' ');

  const library = kind === 'wheel' ? null : findLibrary();
  if (library) {
    const language = await prepare(library.modelFolder);
    return createSpeechRecogniser({
      label: 'PocketSphinx, the system`s library',
      openDecoder: createLibraryDecoder(library, language),
      write: write(language.written),
    });
  }
  const wheel = kind === 'library' ? null : findWheel();
  const python = wheel ? findPython(env) : null;
  if (!wheel || python === null) throw new Error(INSTALL);
  const language = await prepare(wheel.modelFolder);
  return createSpeechRecogniser({
    label: 'PocketSphinx, the package from PyPI',
    openDecoder: createPythonDecoder(python, wheel, language, env),
    write: write(language.written),
  });
};
