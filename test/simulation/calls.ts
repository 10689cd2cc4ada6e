/** Calls of the server simulation. Each one picks its subject from what the callers know when it begins. */

import type { Random } from '../kit/random.ts';
import { type Change, type Fact, newChange, newFact } from './facts.ts';
import { ACTIONS, type Action, type Call, type Identity, type Key, type Meeting, type Message, type Model } from './model.ts';
import { chimeRequest, queryRequest } from './requests.ts';

/** What a call is created from. */
interface Context {
  readonly model: Model;
  readonly random: Random;
  readonly index: number;
  /** A change of this call. */
  readonly change: Change;
}

type Make = (context: Context) => Call | undefined;

// biome-ignore format: a table
const CALLS: readonly (readonly [weight: number, make: Make])[] = [
  // weight  call
  [6,        grant],
  [4,        withdrawGrant],
  [2,        createKey],
  [2,        withdrawKey],
  [3,        assumeRole],
  [2,        createUser],
  [6,        createMeeting],
  [2,        repeatMeeting],
  [6,        getMeeting],
  [2,        deleteMeeting],
  [3,        createAttendee],
  [6,        sendMessage],
  [2,        repeatMessage],
];

/** Creates the call with this number, or undefined if there is no subject for it yet. */
export function newCall(model: Model, random: Random, index: number, begin: number): Call | undefined {
  const make = random.weighted(CALLS);
  return make({ model, random, index, change: newChange(index, begin) });
}

/** Facts that allow an action to an identity. */
const allowing = ({ grants }: Identity, action: Action): Fact[] =>
  grants.filter(({ actions }) => actions.includes(action)).map(({ fact }) => fact);

/** Picks an element, the newest ones more often: what changed a moment ago is what can be stale. */
function pickRecent<T>(random: Random, list: readonly T[]): T | undefined {
  if (list.length === 0) return undefined;
  return random.chance(0.5) ? list.at(-1) : random.pick(list);
}

function grant({ model, random, index, change }: Context): Call {
  const of = random.pick([...model.users, model.role]);
  const actions = random.chance(0.6) ? ACTIONS : [random.pick(ACTIONS)];
  const policyName = `policy-${index}`;
  of.grants.push({ policyName, actions, fact: newFact(`${policyName} of ${of.name}, which allows ${actions}`, change) });
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] });
  const request =
    of.kind === 'user'
      ? queryRequest('iam', 'PutUserPolicy', { UserName: of.name, PolicyName: policyName, PolicyDocument })
      : queryRequest('iam', 'PutRolePolicy', { RoleName: of.name, PolicyName: policyName, PolicyDocument });
  return { title: `admin allows ${actions} to ${of.name}`, key: model.admin, request, change };
}

function withdrawGrant({ model, random, change }: Context): Call | undefined {
  const all = [...model.users, model.role].flatMap((of) => of.grants.map((grant) => ({ of, grant })));
  const chosen = pickRecent(random, all);
  if (chosen === undefined) return undefined;
  const { of, grant } = chosen;
  grant.fact.withdrawals.push(change);
  const { policyName } = grant;
  const request =
    of.kind === 'user'
      ? queryRequest('iam', 'DeleteUserPolicy', { UserName: of.name, PolicyName: policyName })
      : queryRequest('iam', 'DeleteRolePolicy', { RoleName: of.name, PolicyName: policyName });
  return {
    title: `admin deletes ${policyName} of ${of.name}`,
    key: model.admin,
    request,
    resources: [grant.fact],
    change,
  };
}

function createKey({ model, random, change }: Context): Call {
  const of = random.pick(model.users);
  return {
    title: `admin creates a key of ${of.name}`,
    key: model.admin,
    request: queryRequest('iam', 'CreateAccessKey', { UserName: of.name }),
    mayRefuse: 'LimitExceeded',
    change,
    onDone(output) {
      const credentials = { accessKeyId: output.member('AccessKeyId'), secretAccessKey: output.member('SecretAccessKey') };
      const fact = newFact(`the key ${credentials.accessKeyId} of ${of.name}`, change);
      model.keys.push({ of, credentials, fact, exists: newFact(fact.name, change) });
    },
  };
}

function withdrawKey({ model, random, change }: Context): Call | undefined {
  const key = pickRecent(
    random,
    model.keys.filter(({ of, credentials }) => of.kind === 'user' && credentials.sessionToken === undefined),
  );
  if (key === undefined) return undefined;
  const members = { UserName: key.of.name, AccessKeyId: key.credentials.accessKeyId };
  const deletes = random.chance(0.5);
  key.fact.withdrawals.push(change);
  if (deletes) key.exists.withdrawals.push(change);
  return {
    title: `admin ${deletes ? 'deletes' : 'deactivates'} a key of ${key.of.name}`,
    key: model.admin,
    request: deletes
      ? queryRequest('iam', 'DeleteAccessKey', members)
      : queryRequest('iam', 'UpdateAccessKey', { ...members, Status: 'Inactive' }),
    resources: [key.exists],
    change,
  };
}

function assumeRole({ model, random, index, change }: Context): Call {
  const key = pickRecent(
    random,
    model.keys.filter(({ of }) => of.kind === 'user'),
  ) as Key;
  return {
    title: `${key.of.name} assumes the role`,
    key,
    request: queryRequest('sts', 'AssumeRole', { RoleArn: model.role.arn, RoleSessionName: `session-${index}` }),
    onDone(output) {
      const credentials = {
        accessKeyId: output.member('AccessKeyId'),
        secretAccessKey: output.member('SecretAccessKey'),
        sessionToken: output.member('SessionToken'),
      };
      const fact = newFact(`session-${index}`, change);
      model.keys.push({ of: model.role, credentials, fact, exists: fact });
    },
    change,
  };
}

/** Names of users that several calls try to create. */
const NAMES = ['dora', 'emil', 'fay'];

function createUser({ model, random, change }: Context): Call {
  const name = random.pick(NAMES);
  const others = model.names.get(name) ?? [];
  others.push(newFact(`the user ${name}`, change));
  model.names.set(name, others);
  return {
    title: `admin creates the user ${name}`,
    key: model.admin,
    request: queryRequest('iam', 'CreateUser', { UserName: name }),
    conflicts: others,
    change,
  };
}

/** Picks credentials. Most of the time their identity has a policy for the action. */
function pickKey(model: Model, random: Random, action?: Action): Key {
  const granted = model.keys.filter(({ of }) => action !== undefined && allowing(of, action).length > 0);
  return pickRecent(random, granted.length > 0 && random.chance(0.7) ? granted : model.keys) as Key;
}

function createMeeting({ model, random, index, change }: Context): Call {
  const externalId = `meeting-${index}`;
  const meeting: Meeting = { id: undefined, externalId, token: `token-${index}`, fact: newFact(externalId, change) };
  model.meetings.push(meeting);
  return meetingCall(model, random.chance(0.4) ? model.admin : pickKey(model, random, 'chime:CreateMeeting'), meeting);
}

/** Repeats a request with its token. The second response names the same meeting. */
function repeatMeeting({ model, random, index }: Context): Call | undefined {
  const meeting = pickRecent(
    random,
    model.meetings.filter(({ fact }) => fact.withdrawals.length === 0),
  );
  if (meeting === undefined) return undefined;
  repeat(meeting.fact, index);
  return meetingCall(model, model.admin, meeting);
}

function meetingCall(model: Model, key: Key, meeting: Meeting): Call {
  const { externalId: ExternalMeetingId, token: ClientRequestToken } = meeting;
  return {
    title: `${key.of.name} creates ${ExternalMeetingId}`,
    key,
    request: chimeRequest('meetings', 'POST', '/meetings', { body: { ClientRequestToken, ExternalMeetingId, MediaRegion: 'us-east-1' } }),
    ...(key !== model.admin && { permission: () => allowing(key.of, 'chime:CreateMeeting') }),
    change: meeting.fact.established,
    onDone: (output) => setId(meeting, ExternalMeetingId, output.member('MeetingId')),
  };
}

const known = (model: Model): (Meeting & { readonly id: string })[] =>
  model.meetings.filter((meeting): meeting is Meeting & { readonly id: string } => meeting.id !== undefined);

function getMeeting({ model, random }: Context): Call | undefined {
  const meeting = pickRecent(random, known(model));
  if (meeting === undefined) return undefined;
  const key = pickKey(model, random, 'chime:GetMeeting');
  return {
    title: `${key.of.name} reads ${meeting.externalId}`,
    key,
    request: chimeRequest('meetings', 'GET', `/meetings/${meeting.id}`),
    permission: () => allowing(key.of, 'chime:GetMeeting'),
    resources: [meeting.fact],
  };
}

/** Deletes a meeting that no call repeats: a repeated request would create it again. */
function deleteMeeting({ model, random, change }: Context): Call | undefined {
  const meeting = pickRecent(
    random,
    known(model).filter(({ fact }) => fact.established.calls.length === 1),
  );
  if (meeting === undefined) return undefined;
  meeting.fact.withdrawals.push(change);
  return {
    title: `admin deletes ${meeting.externalId}`,
    key: model.admin,
    request: chimeRequest('meetings', 'DELETE', `/meetings/${meeting.id}`),
    resources: [meeting.fact],
    change,
  };
}

function createAttendee({ model, random, index, change }: Context): Call | undefined {
  const meeting = pickRecent(random, known(model));
  if (meeting === undefined) return undefined;
  const externalId = `attendee-${index}`;
  model.attendees.push({ meeting, externalId, fact: newFact(externalId, change) });
  return {
    title: `admin adds ${externalId} to ${meeting.externalId}`,
    key: model.admin,
    request: chimeRequest('meetings', 'POST', `/meetings/${meeting.id}/attendees`, { body: { ExternalUserId: externalId } }),
    resources: [meeting.fact],
    change,
  };
}

function sendMessage({ model, random, index, change }: Context): Call {
  const content = `message-${index}`;
  const message: Message = { id: undefined, content, fact: newFact(content, change) };
  model.messages.push(message);
  return messageCall(model, random.chance(0.2) ? model.admin : pickKey(model, random, 'chime:SendChannelMessage'), message);
}

/** Sends a message again with its token. The second response names the same message. */
function repeatMessage({ model, random, index }: Context): Call | undefined {
  const message = pickRecent(random, model.messages);
  if (message === undefined) return undefined;
  repeat(message.fact, index);
  return messageCall(model, model.admin, message);
}

function messageCall(model: Model, key: Key, message: Message): Call {
  const { content, fact } = message;
  const body = { Content: content, Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: content };
  return {
    title: `${key.of.name} sends ${content}`,
    key,
    request: chimeRequest('messaging', 'POST', `/channels/${encodeURIComponent(model.channelArn)}/messages`, {
      body,
      bearer: model.bearer,
    }),
    ...(key !== model.admin && { permission: () => allowing(key.of, 'chime:SendChannelMessage') }),
    change: fact.established,
    onDone: (output) => setId(message, content, output.member('MessageId')),
  };
}

/** Adds a call that repeats another one. */
function repeat({ established }: Fact, index: number): void {
  established.calls.push(index);
  if (established.outcome === 'not done') established.outcome = 'unknown';
}

/** @throws Error  an earlier response named another ID */
function setId(created: { id: string | undefined }, name: string, id: string): void {
  if (created.id !== undefined && created.id !== id) throw new Error(`${name} was created twice, as ${created.id} and ${id}`);
  created.id = id;
}
