// Plain JavaScript that also runs on Node 20: it finds the Node that Belfry needs. Decision 0001.
import { createRequire } from 'node:module';

/** True where this process is already new enough: type stripping is stable from 24.12. */
export function isNewEnough(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 12);
}

/**
 * The path of a Node that runs the sources as they are: this one if it is new enough, else the one
 * the registry carries for this platform as an optional dependency.
 * @throws Error where there is none, saying what to install
 */
export function findNode24() {
  if (isNewEnough()) return process.execPath;
  const require = createRequire(import.meta.url);
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const file = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  try {
    return require.resolve(`node-${platform}-${process.arch}/${file}`);
  } catch {
    throw new Error(
      `Belfry needs Node 24.12 or newer; this is ${process.versions.node}, and no package brings one for ${platform}-${process.arch}. Install Node 24 and try again.`,
    );
  }
}
