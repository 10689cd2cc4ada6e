import type { Received } from '#core/exchange.ts';
import { parseAppInstanceArn } from '#services/chime-kit/app-instances.ts';
import { decode } from '#wire/decode.ts';
import type { RouteSettings } from '#wire/routed.ts';
import { type ConnectRequest, routeConnect } from './connect.ts';
import type { Closing } from './protocol.ts';

/** Messaging session of this server. `socket` is the number that the main thread assigned to the session's socket. */
export interface Session {
  readonly socket: number;
  /** Connect request that opened the session. Each later authorization verifies the request's signature again. */
  readonly received: Received;
  readonly request: ConnectRequest;
  readonly accountId: string;
  readonly region: string;
  readonly appInstanceId: string;
  /**
   * `admitted`: the socket is not open yet. `opening`: the socket is open, but the session does not receive events yet.
   * `open`: the session receives SESSION_ESTABLISHED and all later events.
   */
  state: 'admitted' | 'opening' | 'open';
  /** Reason to close the socket as soon as it is open. */
  closing?: Closing;
  /** Timer that closes the session when its credentials expire. */
  expiry?: NodeJS.Timeout;
}

/** Creates the session of a Connect request that succeeded. */
export function newSession(socket: number, received: Received, settings: RouteSettings): Session {
  const request = decode(routeConnect(received, settings), received) as unknown as ConnectRequest;
  const names = parseAppInstanceArn(request.UserArn);
  if (names === undefined) throw new Error(`Connect succeeded as '${request.UserArn}', which is not the ARN of an app instance user`);
  const { accountId, region, appInstanceId } = names;
  return { socket, received, request, accountId, region, appInstanceId, state: 'admitted' };
}

/** Connected sessions of this server, by socket, user and account. */
export interface Sessions {
  count(): number;
  add(session: Session): void;
  remove(session: Session): void;
  /** Reports whether a session was added and not yet removed. */
  has(session: Session): boolean;
  at(socket: number): Session | undefined;
  /** Returns a copy of all sessions, so that the caller can remove sessions while it iterates. */
  all(): Session[];
  /** Returns a copy of the user's sessions, so that the caller can remove sessions while it iterates. */
  ofUser(userArn: string): Session[];
  countOfUser(userArn: string): number;
  countOfAccount(accountId: string): number;
}

/** Creates an empty set of sessions. */
export function newSessions(): Sessions {
  const bySocket = new Map<number, Session>();
  const byUser = new Map<string, Set<Session>>();
  const counts = new Map<string, number>();
  const has = (session: Session): boolean => bySocket.get(session.socket) === session;

  return {
    count: () => bySocket.size,
    add(session) {
      const { socket, accountId, request } = session;
      bySocket.set(socket, session);
      counts.set(accountId, (counts.get(accountId) ?? 0) + 1);
      const others = byUser.get(request.UserArn);
      if (others === undefined) byUser.set(request.UserArn, new Set([session]));
      else others.add(session);
    },
    remove(session) {
      if (!has(session)) return;
      const { socket, accountId, request } = session;
      bySocket.delete(socket);
      const left = (counts.get(accountId) ?? 1) - 1;
      if (left === 0) counts.delete(accountId);
      else counts.set(accountId, left);
      const others = byUser.get(request.UserArn);
      others?.delete(session);
      if (others?.size === 0) byUser.delete(request.UserArn);
    },
    has,
    at: (socket) => bySocket.get(socket),
    all: () => [...bySocket.values()],
    ofUser: (userArn) => [...(byUser.get(userArn) ?? [])],
    countOfUser: (userArn) => byUser.get(userArn)?.size ?? 0,
    countOfAccount: (accountId) => counts.get(accountId) ?? 0,
  };
}
