/** Checks that system users other than the server's own user cannot access or change the server's files and folders. */
import { existsSync, statSync } from 'node:fs';

/** User and groups of a process. */
export interface FileUser {
  readonly userId: number;
  /** IDs of the effective group and of the supplementary groups. */
  readonly groupIds: readonly number[];
}

/** Owner, group and mode of a file, as `statSync` returns them. */
export interface FileModes {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/**
 * Kinds of files. Users other than the process's user may have these permissions:
 *
 * - `folder`: read only
 * - `secret`: none. If the file belongs to root, the process's group may read it, because container platforms mount
 *   secrets this way
 * - `database`: none
 * - `tls-key`: the file's group may read it. A key of an external CA is often readable by a group, such as Debian's
 *   `ssl-cert`
 *
 * Every file must belong to the process's user or to root.
 * Source: PostgreSQL manual, "Secure TCP/IP Connections with SSL", the modes of the private key: 0600, or 0640 if it
 * belongs to root.
 */
export type FileKind = 'folder' | 'secret' | 'database' | 'tls-key';

/** Reason why a file is not safe: another user owns it, or other users can write to the folder or access the file. */
export type FileExposure = 'another-owner' | 'writable' | 'accessible';

const FORBIDDEN: Readonly<Record<FileKind, number>> = { folder: 0o022, secret: 0o077, database: 0o077, 'tls-key': 0o027 };
const MODE_OF: Readonly<Record<FileKind, string>> = { folder: '700', secret: '600', database: '600', 'tls-key': '640' };
const ROOT = 0;
const GROUP = 0o070;

/** Returns the reason why a file is not safe from users other than `user`, or undefined if the file is safe. */
export function exposureOf({ uid, gid, mode }: FileModes, kind: FileKind, user: FileUser): FileExposure | undefined {
  if (uid !== user.userId && uid !== ROOT) return 'another-owner';
  const isMounted = kind === 'secret' && uid === ROOT && user.userId !== ROOT;
  const forbidden = isMounted ? 0o027 : FORBIDDEN[kind];
  const exposed = (mode & forbidden) !== 0 || (isMounted && (mode & GROUP) !== 0 && !user.groupIds.includes(gid));
  if (!exposed) return undefined;
  return kind === 'folder' ? 'writable' : 'accessible';
}

/** Returns the user of this process. Returns undefined on Windows, because files there have no owner ID and mode. */
export function fileUser(): FileUser | undefined {
  const userId = process.geteuid?.();
  if (userId === undefined) return undefined;
  return { userId, groupIds: [process.getegid?.() ?? -1, ...(process.getgroups?.() ?? [])] };
}

/**
 * Checks that a file, if it exists, is not exposed to other users. Follows links, because container platforms mount secrets as links.
 *
 * @throws Error  the file is exposed. The message is one line and says how to correct the file's owner or mode
 */
export function requirePrivate(path: string, kind: FileKind): void {
  const user = fileUser();
  if (user === undefined || !existsSync(path)) return;
  const stats = statSync(path);
  const exposure = exposureOf(stats, kind, user);
  if (exposure === undefined) return;
  if (exposure === 'another-owner') {
    throw new Error(`'${path}' belongs to another user; run chown ${user.userId} '${path}'`);
  }
  // A folder of root is probably the root folder of a volume. Only root can change the mode of this folder.
  const isVolume = kind === 'folder' && stats.uid !== user.userId;
  const repair = isVolume ? `use a new folder in it, such as '${path}/belfry'` : `run chmod ${MODE_OF[kind]} '${path}'`;
  throw new Error(`'${path}' is ${exposure} by other users; ${repair}`);
}
