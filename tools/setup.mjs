// Makes a fresh clone ready: run by npm before `start`, `test`, `check`, `bench` and `generate`. Plain JavaScript, runs on Node 20.
//
//   node tools/setup.mjs              what running needs (no development packages)
//   node tools/setup.mjs --for-tests  also the development packages, and Debian's programs the tests drive
//
// It does nothing where nothing is missing (about 50 ms).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode24 } from '../bin/find-node24.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const forTests = process.argv.includes('--for-tests');

/** Debian package → a file it brings. */
const PROGRAMS = {
  awscli: ['/usr/bin/aws', '/usr/local/bin/aws'],
  'python3-boto3': ['/usr/lib/python3/dist-packages/boto3'],
  postgresql: ['/usr/lib/postgresql'],
  openssl: ['/usr/bin/openssl'],
};

function fail(message) {
  console.error(message);
  process.exit(1);
}

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (done.error) fail(`${command}: ${done.error.message}`);
  return done.status === 0;
}

function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const folder = join(root, 'node_modules');
  const stampFile = join(folder, '.belfry-setup.json');
  const stamp = existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {};
  if (stamp.lock === lock && (stamp.development || !forTests)) return;
  // npm would empty what the link leads to, whoever else uses it, and put a folder in place of the link.
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) {
    fail(`node_modules is a link to ${readlinkSync(folder)}, which does not have these packages. Remove the link and try again.`);
  }
  const development = forTests || stamp.development === true;
  console.error(`Installing packages${development ? ' for development' : ''} …`);
  // npm itself is run by the Node that runs this script; nothing depends on an install script.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...(development ? [] : ['--omit=dev'])];
  const npm = process.env.npm_execpath;
  const done = npm ? run(process.execPath, [npm, ...args]) : run('npm', args);
  if (!done) fail('npm could not install the packages; its message is above.');
  writeFileSync(stampFile, JSON.stringify({ lock, development }));
}

function installPrograms() {
  const missing = Object.keys(PROGRAMS).filter((name) => !PROGRAMS[name].some((file) => existsSync(file)));
  if (missing.length === 0) return;
  const byHand = `The tests need ${missing.join(', ')}. Install them (Debian: apt-get install ${missing.join(' ')}) and try again.`;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) fail(byHand);
  console.error(`Installing ${missing.join(', ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-q=2'], { env });
  if (!run('apt-get', ['install', '-y', '-q=2', '--no-install-recommends', ...missing], { env })) fail(byHand);
}

installPackages();
if (forTests) installPrograms();
try {
  findNode24();
} catch (error) {
  fail(error.message);
}
