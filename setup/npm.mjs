// What npm may inherit: under `npm run` it would otherwise take the outer call's folder and life cycle for its own.
const INHERITED =
  /^npm_(lifecycle_|package_|config_(local_prefix|prefix|workspace|global|omit|include|dry_run)|command$|execpath$)/i;

/** The environment for an npm of ours; `nodeFolder` goes first on PATH, so that npm itself runs on that Node. */
export const npmEnvironment = (nodeFolder) => {
  const entries = Object.entries(process.env).filter(([name]) => !INHERITED.test(name) && name !== 'NODE_ENV');
  const environment = Object.fromEntries(entries);
  if (nodeFolder) environment.PATH = `${nodeFolder}:${environment.PATH ?? ''}`;
  return environment;
};
