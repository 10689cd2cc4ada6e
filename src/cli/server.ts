import { type Flag, requireFlag } from '#server/flags.ts';
import { SEEN_EVERY_MS } from '#server/operator/presence.ts';
import { commandServer, DATA, runCommand, type Subcommand } from './command.ts';
import { printList } from './list.ts';

const USAGE = `belfry server list
belfry server remove --id ID   remove a server that has stopped permanently; a server that still runs registers again

  --data FOLDER   the data folder of the running server (default: BELFRY_DATA, or ./data)

A server whose state is 'silent' in the list has not been seen for ${(3 * SEEN_EVERY_MS) / 1000} seconds. It was killed, or cannot reach the database.
`;

const ID: Flag = { flag: '--id', valid: "the ID of a server, from 'belfry server list'" };

/**
 * Runs `belfry server …`, which manages the servers on one database. Runs on the machine of one of these servers.
 * Resolves to the exit status.
 */
export function serverCommand(args: readonly string[]): Promise<number> {
  return runCommand('server', USAGE, SUBCOMMANDS, args);
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  list: {
    flags: [DATA],
    async run(parsed) {
      const { servers = [] } = await commandServer(parsed, { command: 'server list' });
      printList(
        ['ID', 'STATE', 'LAST SEEN', 'ADDRESSES', 'STARTED', 'IAM DATA VERSION', 'NAME', 'THIS ONE'],
        servers.map(({ id, state, seenMsAgo, address, startedAt, appliedVersion, name, own }) => [
          ...[id, state, `${Math.floor(seenMsAgo / 1000)} s ago`, address ?? '', new Date(startedAt).toISOString()],
          ...[String(appliedVersion), name, own ? 'yes' : 'no'],
        ]),
      );
      return 0;
    },
  },
  remove: {
    flags: [ID, DATA],
    async run(parsed) {
      const serverId = requireFlag(parsed.values, ID);
      await commandServer(parsed, { command: 'server remove', serverId });
      console.log(`belfry server: removed server '${serverId}'`);
      return 0;
    },
  },
};
