// Installs the dependencies of a clone. npm runs it before `start`, `test`, `check` and other scripts. It is plain
// JavaScript, so that Node 20 can run it.
//
//     node tools/setup.mjs                installs the packages that the server needs
//     node tools/setup.mjs --development  also installs the development packages
//     node tools/setup.mjs --for-tests    also installs the Debian programs and the Lambda functions that the tests use
//
// If nothing is missing, it takes about 50 ms.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode24 } from '../bin/find-node24.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const forTests = process.argv.includes('--for-tests');
const forDevelopment = forTests || process.argv.includes('--development');

/** Debian packages, each with paths. A package counts as installed if one of its paths exists. */
const PROGRAMS = {
  awscli: ['/usr/bin/aws', '/usr/local/bin/aws'],
  'python3-boto3': ['/usr/lib/python3/dist-packages/boto3'],
  slapd: ['/usr/sbin/slapd'],
  postgresql: ['/usr/lib/postgresql'],
  s3cmd: ['/usr/bin/s3cmd'],
  rclone: ['/usr/bin/rclone'],
  openssl: ['/usr/bin/openssl'],
  'chromium-headless-shell': ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'],
  prometheus: ['/usr/bin/promtool'],
  kamailio: ['/usr/sbin/kamailio'],
  'kamailio-tls-modules': ['/usr/lib/x86_64-linux-gnu/kamailio/modules/tls.so', '/usr/lib/aarch64-linux-gnu/kamailio/modules/tls.so'],
  'kamailio-extra-modules': [
    '/usr/lib/x86_64-linux-gnu/kamailio/modules/jansson.so',
    '/usr/lib/aarch64-linux-gnu/kamailio/modules/jansson.so',
  ],
  'kamailio-utils-modules': [
    '/usr/lib/x86_64-linux-gnu/kamailio/modules/http_client.so',
    '/usr/lib/aarch64-linux-gnu/kamailio/modules/http_client.so',
  ],
  'kamailio-sqlite-modules': ['/usr/share/kamailio/db_sqlite'],
  'sip-tester': ['/usr/bin/sipp'],
  systemd: ['/usr/bin/systemd-analyze'],
  'golang-go': ['/usr/bin/go', '/usr/local/bin/go'],
  'golang-golang-x-mod-dev': ['/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog'],
};

/**
 * Lambda functions of AWS's CDK library for Chime, which `test/cdk` runs. Only these files of the package are installed: the whole package has
 * 147 MB and requires `aws-cdk-lib`, and the functions are complete without both.
 */
const FUNCTIONS = {
  package: 'cdk-amazon-chime-resources@3.2.25',
  sha512: 'cfoJb0wDZBfqR+GmuFKEKOvEgJd3kU091aWZMYvbX7RgBB4yXh0iE9namQh1+At4gmS5Bhxc2RRzcCqBqxqjCg==',
  folder: join(root, 'node_modules', '.cdk-amazon-chime-resources-3.2.25'),
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

/** Runs npm with the current Node. */
function runNpm(args, options) {
  const npm = process.env.npm_execpath;
  return npm ? run(process.execPath, [npm, ...args], options) : run('npm', args, options);
}

function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const folder = join(root, 'node_modules');
  const stampFile = join(folder, '.belfry-setup.json');
  const stamp = existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {};
  if (stamp.lock === lock && (stamp.development || !forDevelopment)) return;
  // npm would delete the content of the linked folder, which other clones may use, and replace the link with a folder.
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) {
    fail(`setup: node_modules is a link to '${readlinkSync(folder)}', which lacks packages: remove the link and try again`);
  }
  const development = forDevelopment || stamp.development === true;
  console.error(`setup: installing packages${development ? ' for development' : ''} …`);
  // No package needs an install script.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...(development ? [] : ['--omit=dev'])];
  if (!runNpm(args)) fail('setup: npm could not install the packages (see its message above)');
  writeFileSync(stampFile, JSON.stringify({ lock, development }));
}

function installPrograms() {
  const missing = Object.keys(PROGRAMS).filter((name) => !PROGRAMS[name].some((file) => existsSync(file)));
  if (missing.length === 0) return;
  const instructions = `setup: the tests require ${missing.join(', ')}: install them (Debian: apt-get install ${missing.join(' ')}) and try again`;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) fail(instructions);
  console.error(`setup: installing ${missing.join(', ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-q=2'], { env });
  if (!run('apt-get', ['install', '-y', '-q=2', '--no-install-recommends', ...missing], { env })) fail(instructions);
}

function installFunctions() {
  if (existsSync(FUNCTIONS.folder)) return;
  console.error(`setup: installing the functions of ${FUNCTIONS.package} …`);
  const folder = mkdtempSync(`${FUNCTIONS.folder}-`);
  const problem = extractFunctions(folder);
  // Another run may have installed them in the meantime.
  if (problem === undefined && !existsSync(FUNCTIONS.folder)) renameSync(folder, FUNCTIONS.folder);
  else rmSync(folder, { recursive: true });
  if (problem !== undefined) fail(`setup: ${problem}`);
}

/** Downloads the functions into a folder. Returns a message if that fails. */
function extractFunctions(folder) {
  const archive = join(folder, `${FUNCTIONS.package.replace('@', '-')}.tgz`);
  const args = ['pack', FUNCTIONS.package, '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
  if (!runNpm(args, { stdio: ['ignore', 'ignore', 'inherit'] }))
    return `npm could not download ${FUNCTIONS.package} (see its message above)`;
  const digest = createHash('sha512').update(readFileSync(archive)).digest('base64');
  if (digest !== FUNCTIONS.sha512) return `${FUNCTIONS.package} has an unexpected digest: ${digest}`;
  if (!run('tar', ['-xzf', archive, '-C', folder, '--strip-components=3', 'package/assets/resources'])) return 'tar failed';
  rmSync(archive);
  return undefined;
}

installPackages();
if (forTests) {
  installPrograms();
  installFunctions();
}
try {
  findNode24();
} catch (error) {
  fail(error.message);
}
