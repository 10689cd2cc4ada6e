/** The auditor's model: what exists, who may do what, and which responses are possible. It knows nothing of the server's code. */
import type { Credentials } from '#sigv4/sign.ts';
import { type Change, type Fact, initialFact, mayHold, mustHold } from './facts.ts';
import type { Outcome, Output, Request } from './requests.ts';

/** Actions that policies of the simulation grant. */
export const ACTIONS = ['chime:CreateMeeting', 'chime:GetMeeting', 'chime:SendChannelMessage'] as const;
export type Action = (typeof ACTIONS)[number];

/** A policy that allows actions. */
export interface Grant {
  readonly policyName: string;
  readonly actions: readonly Action[];
  readonly fact: Fact;
}

/** A user, or the role. */
export interface Identity {
  readonly kind: 'user' | 'role';
  readonly name: string;
  readonly arn: string;
  readonly grants: Grant[];
}

/** Credentials of an identity. */
export interface Key {
  readonly of: Identity;
  readonly credentials: Credentials;
  /** The credentials are accepted. */
  readonly fact: Fact;
  /** The key exists. It may be inactive. */
  readonly exists: Fact;
}

export interface Meeting {
  /** Absent as long as no response named it. */
  id: string | undefined;
  readonly externalId: string;
  readonly token: string;
  readonly fact: Fact;
}

/** A channel message. Its content is its token. */
export interface Message {
  id: string | undefined;
  readonly content: string;
  readonly fact: Fact;
}

export interface Model {
  readonly admin: Key;
  readonly users: readonly Identity[];
  readonly role: Identity;
  /** Bearer of channel messages, and the channel. */
  readonly bearer: string;
  readonly channelArn: string;
  readonly keys: Key[];
  readonly meetings: Meeting[];
  readonly attendees: { readonly meeting: Meeting; readonly externalId: string; readonly fact: Fact }[];
  readonly messages: Message[];
  /** Names of users that several calls create. */
  readonly names: Map<string, Fact[]>;
}

/** Names and keys that a run begins with. */
export interface Fixture {
  readonly accountId: string;
  readonly admin: Credentials;
  readonly users: readonly { readonly name: string; readonly credentials: Credentials }[];
  readonly bearer: string;
  readonly channelArn: string;
}

export const ROLE = 'guest';

export function newModel({ accountId, admin, users, bearer, channelArn }: Fixture): Model {
  const identity = (kind: 'user' | 'role', name: string): Identity => ({
    kind,
    name,
    arn: `arn:aws:iam::${accountId}:${kind}/${name}`,
    grants: [],
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
    bearer,
    channelArn,
    keys: users.map(({ credentials }, i) => key(identities[i] as Identity, credentials)),
    meetings: [],
    attendees: [],
    messages: [],
    names: new Map(),
  };
}

/** A call, with what its response depends on. */
export interface Call {
  readonly title: string;
  readonly key: Key;
  readonly request: Request;
  /** Facts of which one must hold, or the call is denied. Absent: the administrator calls. The list may grow while the call runs. */
  readonly permission?: () => readonly Fact[];
  /** Facts without which the call fails with an error such as NotFound. */
  readonly resources?: readonly Fact[];
  /** Facts with which the call fails with an error such as Conflict, except its own. The list may grow while the call runs. */
  readonly conflicts?: readonly Fact[];
  /** Code of a refusal that depends on nothing in the model, such as a limit. */
  readonly mayRefuse?: string;
  /** What a success changes. */
  readonly change?: Change;
  /** Takes in the output of a success. */
  readonly onDone?: (output: Output) => void;
}

const DENIED = new Set(['AccessDenied', 'Forbidden', 'InvalidClientTokenId', 'UnrecognizedClient']);
const NOT_FOUND = new Set(['NoSuchEntity', 'NotFound']);
const CONFLICT = new Set(['EntityAlreadyExists', 'Conflict']);

/** Returns why a response is impossible, or undefined. */
export function contradiction(call: Call, begin: number, end: number, outcome: Outcome): string | undefined {
  const { key, permission, resources = [], mayRefuse, change } = call;
  const needs = [[key.fact], ...(permission === undefined ? [] : [permission()])];
  const conflicts = (call.conflicts ?? []).filter(({ established }) => established !== change);
  const nameOf = (facts: readonly Fact[]): string => (facts.length === 0 ? 'a permission' : facts.map(({ name }) => name).join(' or '));
  switch (outcome.kind) {
    case 'unknown':
      return undefined;
    case 'done': {
      for (const facts of [...needs, ...resources.map((fact) => [fact])])
        if (!facts.some((fact) => mayHold(fact, begin, end))) return `succeeded without ${nameOf(facts)}`;
      const conflicting = conflicts.find((fact) => mustHold(fact, begin, end));
      return conflicting && `succeeded despite ${conflicting.name}`;
    }
    case 'refused': {
      const { code, message } = outcome;
      if (code === mayRefuse) return undefined;
      if (DENIED.has(code) && !needs.every((facts) => facts.some((fact) => mustHold(fact, begin, end)))) return undefined;
      if (NOT_FOUND.has(code) && resources.some((fact) => !mustHold(fact, begin, end, change))) return undefined;
      if (CONFLICT.has(code) && conflicts.some((fact) => mayHold(fact, begin, end))) return undefined;
      return `was refused with ${code}: ${message}`;
    }
  }
}
