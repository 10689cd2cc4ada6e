import { type Flag, requireFlag } from '#server/flags.ts';
import { SEEN_EVERY_MS } from '#server/operator/presence.ts';
import { commandServer, DATA, runCommand, type Subcommand } from './command.ts';

const USAGE = `belfry server list
belfry server remove --id ID   remove a server that has stopped permanently; a server that still runs registers again

  --data FOLDER   the data folder of the running server (default: BELFRY_DATA, or ./data)

'list' prints for each server: ID, state, time since it was last seen, addresses, start, IAM data version, and name. A server whose
state is 'silent' has not been seen for ${(3 * SEEN_EVERY_MS) / 1000} seconds. It was killed, or cannot reach the database.
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
      for (const { id, state, seenMsAgo, address, startedAt, appliedVersion, name, own } of servers) {
        const seen = `seen ${Math.floor(seenMsAgo / 1000)} s ago`;
        const started = `started ${new Date(startedAt).toISOString()}`;
        console.log(
          [id, state, seen, address, started, `IAM data version ${appliedVersion}`, name, own ? '(this one)' : '']
            .filter(Boolean)
            .join('  '),
        );
      }
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
