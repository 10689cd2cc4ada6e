/**
 * Start of a server. First starts the core, which runs the API operations in a worker thread, and then the parts of
 * the main thread (`serving.ts`). This file imports `serving.ts` dynamically, so that its many modules load while the
 * core starts.
 */
import { startCore } from './core/core-link.ts';
import { requireSoundDataFolder } from './data-folder.ts';
import type { Sockets } from './edge/sockets.ts';
import { newHealth } from './health.ts';
import { openLog } from './log.ts';
import type { RunningServer, StartOptions } from './serving.ts';
import type { Settings } from './settings.ts';

/**
 * Starts a server. `onDeath` runs if the server's core ends after the start.
 *
 * @throws Error  the data folder is unsound, an address cannot be used, or the core cannot start. Everything that was
 *   started is stopped
 */
export async function startServer(
  settings: Settings,
  onDeath: (why: string) => void,
  { recording = true, limits = {}, socketLimits = {}, transferLimits = {} }: StartOptions = {},
): Promise<RunningServer> {
  // Other users cannot read or change the files that the server creates.
  process.umask(0o077);
  await requireSoundDataFolder(settings);
  const health = newHealth();
  // The core orders the main thread to send messages to sockets and to close them. The first order follows a request
  // from the main thread, and requests begin only after `sockets` is set.
  let sockets: Sockets | undefined;
  const core = startCore(
    { settings, recording },
    { onOrders: (orders) => sockets?.follow(orders), onReadyUntil: health.coreReadyUntil, onDeath },
  );
  const { serving } = await import('./serving.ts');
  const server = serving(settings, core, health, await openLog(settings.log), { limits, socketLimits, transferLimits });
  sockets = server.sockets;
  return await server.start();
}
