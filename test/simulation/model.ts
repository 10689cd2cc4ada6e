/** Model that the simulation compares the servers with: resources, permissions and possible responses. Uses no code of the server. */
import type { Credentials } from '#sigv4/sign.ts';
import { type Change, type Fact, initialFact, mayHold, momentsOf, mustHold } from './facts.ts';
import type { Outcome, Output, Request } from './requests.ts';

/** Actions that the policies of the simulation allow or deny. */
export const ACTIONS = ['chime:CreateMeeting', 'chime:GetMeeting', 'chime:SendChannelMessage', 'chime:Connect'] as const;
export type Action = (typeof ACTIONS)[number];

/** A policy that allows actions. */
export interface Grant {
  readonly policyName: string;
  readonly actions: readonly Action[];
  readonly fact: Fact;
}

/** A policy that denies actions. */
export interface Denial extends Grant {
  /** The policy denies only sessions that were issued before this time, as a revocation of sessions does. */
  readonly issuedBefore?: number;
}

/** An IAM user, or the role `ROLE`. */
export interface Identity {
  readonly kind: 'user' | 'role';
  readonly name: string;
  readonly arn: string;
  readonly grants: Grant[];
  readonly denials: Denial[];
}

/** Credentials of an identity. */
export interface Key {
  readonly of: Identity;
  readonly credentials: Credentials;
  /** Fact that holds while the server accepts the credentials. */
  readonly fact: Fact;
  /** Fact that holds while the key exists. An existing key may be inactive. */
  readonly exists: Fact;
  /** Change of the call that issued the credentials. Absent for long-term access keys. */
  readonly issued?: Change;
}

export interface Meeting {
  /** Undefined until a response contains the ID. */
  id: string | undefined;
  readonly externalId: string;
  readonly token: string;
  readonly fact: Fact;
}

export interface AppInstance {
  readonly name: string;
  /** Undefined until a response contains the ARN. */
  arn: string | undefined;
  readonly fact: Fact;
}

/** A user of an app instance. */
export interface AppUser {
  readonly instance: AppInstance;
  readonly arn: string;
  readonly fact: Fact;
}

/** A channel. Its creator is its moderator. */
export interface Channel {
  readonly instance: AppInstance;
  readonly arn: string;
  readonly creator: AppUser;
  readonly fact: Fact;
}

/** Membership of a user in a channel. A user becomes a member of a channel once at most. */
export interface Membership {
  readonly channel: Channel;
  readonly user: AppUser;
  readonly fact: Fact;
}

/** A channel message. The content is also the client request token. */
export interface Message {
  id: string | undefined;
  readonly content: string;
  readonly sender: Membership;
  readonly fact: Fact;
}

/** A user who signs in to the console with a browser. */
export interface ConsoleUser {
  readonly identity: Identity;
  /** Fact that holds while the user exists. */
  readonly exists: Fact;
  /** Seed of the user's MFA device. */
  readonly mfaSeed?: string;
  /** Passwords, the newest last. */
  readonly passwords: Password[];
  /** Most recent password change, whose outcome may still be unknown. Absent before the first change. */
  changing?: Change;
  /** Sign-ins whose cookies the browser still has, the newest last. */
  readonly signIns: SignIn[];
  /** Sign-ins, grouped by the MFA code that was used. */
  readonly codes: Map<string, Fact[]>;
}

export interface Password {
  readonly value: string;
  readonly fact: Fact;
}

export interface SignIn {
  readonly cookie: string;
  readonly change: Change;
  readonly fact: Fact;
}

export interface Model {
  readonly admin: Key;
  readonly users: readonly Identity[];
  readonly role: Identity;
  readonly keys: Key[];
  readonly meetings: Meeting[];
  readonly attendees: { readonly meeting: Meeting; readonly externalId: string; readonly fact: Fact }[];
  readonly instances: AppInstance[];
  readonly appUsers: AppUser[];
  readonly channels: Channel[];
  readonly memberships: Membership[];
  readonly messages: Message[];
  readonly consoleUsers: readonly ConsoleUser[];
  /** Facts of the users that concurrent calls create, by user name. */
  readonly names: Map<string, Fact[]>;
}

/** Names and keys that exist at the start of a run. */
export interface Fixture {
  readonly accountId: string;
  readonly admin: Credentials;
  readonly users: readonly { readonly name: string; readonly credentials: Credentials }[];
  /** Seed of the MFA device of `MFA_USER`. */
  readonly mfaSeed: string;
  readonly appInstanceArn: string;
  /** Users of the app instance, all members of the channel. The first user created the channel. */
  readonly appUserArns: readonly string[];
  readonly channelArn: string;
}

export const ROLE = 'guest';
/** Users with a password at the beginning. The last user has no access key, and can be deleted. */
export const CONSOLE_USERS = ['ada', 'bob', 'eve'] as const;
export const MFA_USER = 'bob';
export const FIRST_PASSWORD = 'Correct-Horse-0';

export function newModel(fixture: Fixture): Model {
  const { accountId, admin, users } = fixture;
  const identity = (kind: 'user' | 'role', name: string): Identity => ({
    kind,
    name,
    arn: `arn:aws:iam::${accountId}:${kind}/${name}`,
    grants: [],
    denials: [],
  });
  const identities = users.map(({ name }) => identity('user', name));
  const key = (of: Identity, credentials: Credentials): Key => {
    const fact = initialFact(`the first key of ${of.name}`);
    return { of, credentials, fact, exists: initialFact(fact.name) };
  };
  return {
    admin: key(identity('user', 'admin'), admin),
    users: identities,
    role: identity('role', ROLE),
    keys: users.map(({ credentials }, i) => key(identities[i] as Identity, credentials)),
    meetings: [],
    attendees: [],
    ...newChat(fixture),
    messages: [],
    consoleUsers: CONSOLE_USERS.map((name) => ({
      identity: identities.find((one) => one.name === name) ?? identity('user', name),
      exists: initialFact(`the user ${name}`),
      ...(name === MFA_USER && { mfaSeed: fixture.mfaSeed }),
      passwords: [{ value: FIRST_PASSWORD, fact: initialFact(`the first password of ${name}`) }],
      signIns: [],
      codes: new Map(),
    })),
    names: new Map(),
  };
}

function newChat({ appInstanceArn, appUserArns, channelArn }: Fixture): Pick<Model, 'instances' | 'appUsers' | 'channels' | 'memberships'> {
  const instance: AppInstance = { name: 'chat', arn: appInstanceArn, fact: initialFact('the app instance chat') };
  const appUsers = appUserArns.map((arn) => ({ instance, arn, fact: initialFact(lastOf(arn)) }));
  const channel: Channel = { instance, arn: channelArn, creator: appUsers[0] as AppUser, fact: initialFact('the channel general') };
  const memberships = appUsers.map((user) => ({ channel, user, fact: initialFact(`the membership of ${lastOf(user.arn)} in general`) }));
  return { instances: [instance], appUsers, channels: [channel], memberships };
}

/** Returns the part of an ARN after the last slash. */
export const lastOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

/** A call, with the facts that determine its response. */
export interface Call {
  readonly title: string;
  /** Absent if the request is not signed. */
  readonly key?: Key;
  readonly request: Request;
  /**
   * One fact for each policy that allows the call. If the call succeeds, at least one of these facts must hold. Absent
   * for the administrator. The list may grow while the call runs.
   */
  readonly permission?: () => readonly Fact[];
  /** Policies that may deny the call. The list may grow while the call runs. */
  readonly denials?: () => readonly PossibleDenial[];
  /** Facts that the call requires. If one does not hold, the call fails with an error such as NotFound. */
  readonly resources?: readonly Fact[];
  /**
   * Facts that conflict with the call, such as an existing user of the same name. If one holds, the call fails with an
   * error such as Conflict. A fact that the call itself established does not count.
   */
  readonly conflicts?: readonly Fact[];
  /** Error code that is always possible, because the model does not include its cause, for example a rate limit. */
  readonly mayRefuse?: string;
  /** Change of the model if the call succeeds. */
  readonly change?: Change;
  /** Receives the output if the call succeeds. */
  readonly onDone?: (output: Output) => void;
  /** App instance user that a Connect request opens a session for. Absent for other calls. */
  readonly connects?: AppUser;
  /** True if the trail has no record of the call. */
  readonly unrecorded?: true;
}

/**
 * A Deny policy that may apply to a call. `certain` is false if the policy denies only older sessions, and the issue
 * time of the caller's session is not known exactly enough to decide.
 */
export interface PossibleDenial {
  readonly fact: Fact;
  readonly certain: boolean;
}

const DENIED = new Set(['AccessDenied', 'Forbidden', 'InvalidClientTokenId', 'UnrecognizedClient']);
const NOT_FOUND = new Set(['NoSuchEntity', 'NotFound', 'Forbidden', 'UnauthorizedClient', 'AuthenticationFailed', 'NotSignedIn']);
const CONFLICT = new Set(['EntityAlreadyExists', 'Conflict', 'AuthenticationFailed']);

/** Returns the reason why a response is impossible. Returns undefined if it is possible at some time from `begin` to `end`. */
export function contradiction(call: Call, begin: number, end: number, outcome: Outcome): string | undefined {
  const { key, permission, resources = [], mayRefuse, change } = call;
  const needs = [...(key === undefined ? [] : [[key.fact]]), ...(permission === undefined ? [] : [permission()])];
  const groups = [...needs, ...resources.map((fact) => [fact])];
  const denials = call.denials?.() ?? [];
  const conflicts = (call.conflicts ?? []).filter(({ established }) => established !== change);
  const moments = momentsOf([...groups.flat(), ...denials.map(({ fact }) => fact), ...conflicts], begin, end);
  switch (outcome.kind) {
    case 'unknown':
      return undefined;
    case 'done': {
      const against = [...denials.filter(({ certain }) => certain).map(({ fact }) => fact), ...conflicts];
      const possible = (at: number): boolean =>
        groups.every((facts) => facts.some((fact) => mayHold(fact, at, at))) && !against.some((fact) => mustHold(fact, at, at));
      return moments.some(possible) ? undefined : whyImpossible(groups, against, begin, end);
    }
    case 'refused': {
      const { code, message } = outcome;
      if (code === mayRefuse) return undefined;
      const isAllowed = (at: number): boolean =>
        needs.every((facts) => facts.some((fact) => mustHold(fact, at, at))) && !denials.some(({ fact }) => mayHold(fact, at, at));
      if (DENIED.has(code) && !moments.every(isAllowed)) return undefined;
      if (NOT_FOUND.has(code) && resources.some((fact) => !mustHold(fact, begin, end, change))) return undefined;
      if (CONFLICT.has(code) && conflicts.some((fact) => mayHold(fact, begin, end))) return undefined;
      return `was refused with ${code}: ${message}`;
    }
  }
}

/** Explains why a success is impossible. */
function whyImpossible(groups: readonly (readonly Fact[])[], against: readonly Fact[], begin: number, end: number): string {
  const missing = groups.find((facts) => !facts.some((fact) => mayHold(fact, begin, end)));
  if (missing !== undefined) return `succeeded without ${namesOf(missing)}`;
  const conflicting = against.find((fact) => mustHold(fact, begin, end));
  if (conflicting !== undefined) return `succeeded despite ${conflicting.name}`;
  return `succeeded, but at no time with ${groups.map(namesOf).join(' and ')}${against.length === 0 ? '' : `, and without ${namesOf(against)}`}`;
}

function namesOf(facts: readonly Fact[]): string {
  return facts.length === 0 ? 'a permission' : facts.map(({ name }) => name).join(' or ');
}
