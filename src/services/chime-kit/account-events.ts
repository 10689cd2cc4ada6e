/** Domain events of Chime accounts and their users. Other parts of the server subscribe to these events. */
import type { AccountId } from '#core/arn.ts';
import type { UserType } from '#model/generated/chime.ts';

/** Chime account that an event is about. */
export interface ChimeAccountName {
  /** AWS account that owns the Chime account. */
  readonly accountId: AccountId;
  readonly chimeAccountId: string;
}

/**
 * Events of Chime accounts and their users. An event about several users lists them, so that a subscriber can act on all of them with few
 * statements. One event lists at most 50 users, and `ChimeUsersForgotten` at most 200.
 *
 * The server emits an event after it has stored the change, in the same transaction.
 */
export type ChimeAccountEvent = ChimeAccountName &
  (
    | {
        /** A person registered: an invitation was accepted, or the person belongs to a claimed domain. */
        readonly type: 'ChimeUserRegistered';
        readonly user: ChimeRegisteredUser;
      }
    | {
        /** Users of an Enterprise account were suspended. They cannot sign in, and their sessions end. */
        readonly type: 'ChimeUserSuspended';
        readonly userIds: readonly string[];
      }
    | {
        /** The suspension of users of an Enterprise account ended. They can sign in again. */
        readonly type: 'ChimeUserUnsuspended';
        readonly userIds: readonly string[];
      }
    | {
        /** All sessions of the users end. The users can sign in again. */
        readonly type: 'ChimeUserSignedOut';
        readonly userIds: readonly string[];
      }
    | {
        /** Users were removed from a Team account. They are free users now, and their sessions go on. */
        readonly type: 'ChimeUserRemoved';
        readonly userIds: readonly string[];
      }
    | {
        /** Users of a deleted account were deleted for good. They are in no other account of the AWS account. */
        readonly type: 'ChimeUsersForgotten';
        readonly userIds: readonly string[];
      }
    | {
        /** An Enterprise account released a verified domain. The sessions of its users in the domain have ended, and the users have left it. */
        readonly type: 'ChimeDomainReleased';
        readonly domain: string;
      }
    | {
        /** A disabled account was deleted for good, with its users. */
        readonly type: 'ChimeAccountRemoved';
      }
  );

/** User that has registered. */
export interface ChimeRegisteredUser {
  readonly userId: string;
  readonly emailAddress: string;
  readonly displayName: string | undefined;
  readonly userType: UserType;
}
