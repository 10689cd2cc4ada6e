/**
 * The operator's commands, as the command line sends them to a running server. This file loads no other part of the server, so that a command
 * starts fast. `control.ts` receives the commands.
 */
import { createConnection } from 'node:net';
import { join } from 'node:path';
import type { NewAdministrator } from '../core/first-start.ts';
import type { RestoredReply } from '../core/trail-log-gate.ts';
import type { ListedChimeAccount } from './chime-accounts.ts';
import type { ChimeImportLines, ChimeImportReport } from './chime-import.ts';
import type { ListedEndpoint, NamedEndpoint, NewEndpoint } from './endpoints.ts';
import type { ImportReport, ListedNumber, NumberedRow } from './numbers.ts';
import type { OperatorKeyChange } from './operator-key.ts';
import type { PresentServer } from './presence.ts';
import type { RetentionList } from './trail-retention.ts';
import type { ListedTarget, NewTarget } from './trail-targets.ts';

/**
 * Command of the operator on the server's machine. It arrives over a Unix socket in the data folder, which only the
 * server's user can open. It needs no signature. Each change is recorded in the trail of the changed account.
 * Requirement INF-1.
 */
export type ControlRequest =
  /** Creates an account with its root user and an administrator `admin`. */
  | { readonly command: 'account create'; readonly name: string }
  /** Lists all accounts in the order of their creation. */
  | { readonly command: 'account list' }
  /** Break-glass: creates an administrator for an account, regardless of the account's policies. */
  | { readonly command: 'account restore-administrator'; readonly accountId: string }
  /** Lets an account that an organization created leave the organization. */
  | { readonly command: 'account make-standalone'; readonly accountId: string }
  /** Creates a new operator key and re-encrypts all secrets with it. */
  | { readonly command: 'operator-key rotate' }
  /** Deletes all operator keys except the newest. */
  | { readonly command: 'operator-key forget-old' }
  /**
   * Lists records of requests that prove no identity and name no account, newest first. `before` is the value `next` of
   * the previous page.
   */
  | { readonly command: 'trail unproven'; readonly limit: number; readonly before?: string }
  /** Lists the retention of the settings, and the accounts with a retention of their own. */
  | { readonly command: 'trail retention' }
  /** Sets how many days the records of an account stay. Without `days`, the account gets the retention of the settings. */
  | { readonly command: 'trail set-retention'; readonly accountId: string; readonly days?: number }
  /** Binds the name of a bucket to a folder or to an S3-compatible service, for trails. */
  | { readonly command: 'trail target add'; readonly target: NewTarget }
  | { readonly command: 'trail target list' }
  | { readonly command: 'trail target remove'; readonly bucket: string }
  /** Adds an endpoint of a service to which the server sends outgoing messages. */
  | { readonly command: 'endpoint add'; readonly endpoint: NewEndpoint }
  | { readonly command: 'endpoint list' }
  | { readonly command: 'endpoint remove'; readonly endpoint: NamedEndpoint }
  /** Adds phone numbers to the inventory. With `isPreview`, only checks them. */
  | { readonly command: 'numbers import'; readonly rows: readonly NumberedRow[]; readonly isPreview: boolean }
  /** Lists a page of the inventory, starting after the number `after`. */
  | { readonly command: 'numbers list'; readonly after?: string }
  | { readonly command: 'numbers remove'; readonly numbers: readonly string[] }
  /** Imports users or rooms of Amazon Chime. With `isPreview`, only checks them. */
  | ({ readonly command: 'chime import' } & ChimeImportLines)
  /** Lists the accounts of Amazon Chime that were deleted in the last 90 days, and can be restored. */
  | { readonly command: 'chime disabled-accounts' }
  | { readonly command: 'chime restore-account'; readonly chimeAccountId: string }
  /** Removes the policy of a bucket, regardless of what the policy denies. */
  | { readonly command: 'bucket remove-policy'; readonly bucket: string }
  /** Starts the next transparency log, whose first leaf names the loss of records, so that the server accepts requests again. */
  | { readonly command: 'trail restored'; readonly reason: string }
  /** Lists the servers on this database, oldest first. */
  | { readonly command: 'server list' }
  /**
   * Removes a server that has stopped permanently, so that no change of permissions waits for it. If the removed server
   * still runs, it registers again.
   */
  | { readonly command: 'server remove'; readonly serverId: string };

export type ControlReply =
  | {
      readonly ok: true;
      readonly servers?: readonly PresentServer[];
      readonly administrator?: NewAdministrator;
      readonly accounts?: readonly { readonly accountId: string; readonly name: string }[];
      readonly operatorKey?: OperatorKeyChange;
      readonly retention?: RetentionList;
      readonly targets?: readonly ListedTarget[];
      readonly endpoints?: readonly ListedEndpoint[];
      readonly imported?: ImportReport;
      readonly chimeImported?: ChimeImportReport;
      readonly disabledChimeAccounts?: readonly ListedChimeAccount[];
      readonly numbers?: readonly ListedNumber[];
      /** Problems of the numbers that `numbers remove` did not remove. */
      readonly problems?: readonly string[];
      readonly trailLog?: Extract<RestoredReply, { readonly ok: true }>['trailLog'];
      /** Records as JSON strings. A page with `next` can have fewer records than `limit`, or none. */
      readonly records?: readonly string[];
      readonly next?: string;
    }
  | { readonly ok: false; readonly error: string };

/** Returns the path of the control socket in a data folder. */
export function controlSocket(dataFolder: string): string {
  return join(dataFolder, 'control', 'belfry.sock');
}

/**
 * Sends one command to the server of a data folder.
 *
 * @throws Error  no server runs on the data folder, or it closes the connection without a response
 */
export function askControl(dataFolder: string, request: ControlRequest): Promise<ControlReply> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(controlSocket(dataFolder));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('end', () => {
      try {
        resolve(JSON.parse(text) as ControlReply);
      } catch {
        reject(new Error('the server closed the connection without a response'));
      }
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
          ? new Error(`no server is running on the data folder '${dataFolder}'; start it, or set its folder with --data`)
          : error,
      ),
    );
  });
}
