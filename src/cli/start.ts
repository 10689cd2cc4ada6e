import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CoreReady } from '#server/core/core-link.ts';
import { startFailure } from '#server/data-folder.ts';
import type { Listener } from '#server/edge/listener.ts';
import { describeBug, type Log, openLog } from '#server/log.ts';
import { readSettings, SettingError, type Settings, settingsHelp } from '#server/settings.ts';
import { startServer } from '#server/start.ts';
import { VERSION } from '#server/version.ts';
import { whenNpmEnds } from './npm-process.ts';

/**
 * Runs `belfry start`: reads the settings, starts the server, prints how to use it, and serves until SIGINT or SIGTERM. Resolves to the
 * exit status, or to undefined while the server runs.
 *
 * Exit status: 0 stopped by a signal · 1 the core thread ended, or the stop failed · 2 an invalid setting, or the start
 * failed.
 */
export async function startCommand(args: readonly string[]): Promise<number | undefined> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(settingsHelp());
    return 0;
  }
  let settings: Settings;
  try {
    settings = readSettings(args, process.env);
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    console.error(`belfry: ${error.message}`);
    return 2;
  }
  const log = await openLog(settings.log);
  try {
    const { ready, stop } = await startServer(settings, (why) => {
      log(`stopped, because ${why}`, 'error');
      process.exit(1);
    });
    stopOnSignals(stop, log);
    whenNpmEnds(() => process.kill(process.pid, 'SIGTERM'));
    printWelcome(settings, ready.listeners, ready.core, ready.metricsUrl);
    return undefined;
  } catch (error) {
    console.error(`belfry: could not start: ${startFailure(error as Error, settings)}`);
    process.exit(2);
  }
}

/**
 * Stops the server on the first signal and ignores later ones. After Ctrl-C this process receives two signals: one from
 * the terminal, and one that `bin/node24.mjs` forwards.
 */
function stopOnSignals(stop: () => Promise<void>, log: Log): void {
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log(`could not stop: ${describeBug(error)}`, 'error');
          process.exit(1);
        },
      );
    });
  }
}

function printWelcome(settings: Settings, listeners: readonly Listener[], core: CoreReady, metricsUrl: string | undefined): void {
  const endpoint = listeners[0]?.endpoint as string;
  const [config, credentials] = [join(settings.dataFolder, 'aws', 'config'), join(settings.dataFolder, 'aws', 'credentials')];
  console.log(`belfry: version ${VERSION} is listening on ${listeners.map((listener) => listener.endpoint).join(' and ')}`);
  if (metricsUrl !== undefined) console.log(`belfry: metrics for Prometheus are at ${metricsUrl}`);
  if (settings.sip === 'child') console.log(`belfry: the SIP proxy listens on ${sipAddresses(settings)}`);
  if (core.firstStart) {
    const { accountId, userName, accessKeyId } = core.firstStart;
    console.log(
      `belfry: created account '${accountId}' with the administrator '${userName}' and the access key '${accessKeyId}'; the secret access key is in '${credentials}'`,
    );
  }
  if (!existsSync(config) || !existsSync(credentials)) {
    console.log(`
This data folder has no AWS profile. Existing access keys still work. To create an administrator with a new key and a profile:

  npx belfry account list --data ${shellQuoted(settings.dataFolder)}
  npx belfry account restore-administrator --account-id ACCOUNT_ID --profile belfry --data ${shellQuoted(settings.dataFolder)}
`);
    return;
  }
  console.log(`
Use the server with any AWS client:

  export AWS_CONFIG_FILE=${shellQuoted(config)}
  export AWS_SHARED_CREDENTIALS_FILE=${shellQuoted(credentials)}
  export AWS_PROFILE=belfry
  aws --endpoint-url ${endpoint} sts get-caller-identity
`);
}

/** Returns the addresses of the SIP proxy: `udp:127.0.0.1:5060, tcp:127.0.0.1:5060`. */
function sipAddresses({ sipUdp, sipTcp, sipTls }: Settings): string {
  return Object.entries({ udp: sipUdp, tcp: sipTcp, tls: sipTls })
    .flatMap(([transport, address]) => (address === 'off' ? [] : [`${transport}:${address.host}:${address.port}`]))
    .join(', ');
}

/** Quotes a path for a POSIX shell if necessary. */
function shellQuoted(path: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
