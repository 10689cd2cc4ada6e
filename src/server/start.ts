/**
 * Start of a server: the core in its thread, then the main thread's own parts. Their modules load while the core starts, so this
 * file imports only what the core's thread needs.
 */
import { startCore } from './core/core-link.ts';
import { requireSoundDataFolder } from './data-folder.ts';
import type { Sockets } from './edge/sockets.ts';
import { newHealth } from './health.ts';
import type { RunningServer, StartOptions } from './serving.ts';
import type { Settings } from './settings.ts';

/**
 * Starts a server. `onDeath` runs if its core ends after the start.
 *
 * @throws Error  the data folder is unsound, an address cannot be used, or the core cannot start. Everything that was started is stopped
 */
export async function startServer(
  settings: Settings,
  onDeath: (why: string) => void,
  { recording = true, limits = {}, socketLimits = {} }: StartOptions = {},
): Promise<RunningServer> {
  // All files that the server creates belong to its owner only.
  process.umask(0o077);
  await requireSoundDataFolder(settings);
  const health = newHealth();
  // The core sends orders for sockets only after a request of the main thread.
  let sockets: Sockets | undefined;
  const core = startCore(
    { settings, recording },
    { onOrders: (orders) => sockets?.follow(orders), onReadyUntil: health.coreReadyUntil, onDeath },
  );
  const { serving } = await import('./serving.ts');
  const server = serving(settings, core, health, { limits, socketLimits });
  sockets = server.sockets;
  return await server.start();
}
