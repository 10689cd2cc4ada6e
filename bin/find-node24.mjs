// Finds the version of Node that Belfry requires. Plain JavaScript that also runs on Node 20. Decision 0001.
import { createRequire } from 'node:module';

/** Reports whether a Node version can run the sources. Type stripping is stable since 24.12. */
export function isNewEnough(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 12);
}

/**
 * Returns the path of a Node executable that can run the sources. It is the current executable if that is new enough,
 * otherwise the executable in the optional npm package for this platform.
 *
 * @throws Error  there is no such executable
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
      `belfry: requires Node 24.12 or newer, but this is '${process.versions.node}' and no package contains Node for '${platform}-${process.arch}': install Node 24`,
    );
  }
}
