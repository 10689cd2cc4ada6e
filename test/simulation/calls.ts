/** Calls of the server simulation. Each call picks a resource that exists in the model when the call begins. */

import type { Random } from '../kit/random.ts';
import { type Context, type Make, permissionOf, pickKey, pickRecent, repeat, setId } from './call-context.ts';
import {
  addMember,
  connect,
  createAppUser,
  createChannel,
  createInstance,
  deleteAppUser,
  deleteChannel,
  deleteInstance,
  describeChannel,
  removeMember,
  repeatMessage,
  sendMessage,
} from './chat-calls.ts';
import { newChange, newFact } from './facts.ts';
import { ACTIONS, type Call, type Identity, type Key, type Meeting, type Model } from './model.ts';
import { chimeRequest, queryRequest, type Request } from './requests.ts';
import { changePassword, deleteConsoleUser, identify, signIn, signOut, useSignIn } from './sign-in-calls.ts';

/** Groups of calls. Each run prefers the calls of one group, its theme, so that even a short run has concurrent calls on one resource. */
export const THEMES = ['identity', 'meetings', 'chat', 'sign-in'] as const;
export type Theme = (typeof THEMES)[number];

/** Factor by which the weight of a call increases if it belongs to the run's theme. */
const THEME_FACTOR = 4;

// biome-ignore format: a table
const CALLS: readonly (readonly [weight: number, theme: Theme, make: Make])[] = [
  // weight  theme      call
  [6,       'identity', grant],
  [4,       'identity', withdrawGrant],
  [3,       'identity', deny],
  [2,       'identity', withdrawDenial],
  [2,       'identity', createKey],
  [2,       'identity', withdrawKey],
  [3,       'identity', assumeRole],
  [2,       'identity', createUser],
  [2,       'identity', identify],
  [5,       'meetings', createMeeting],
  [2,       'meetings', repeatMeeting],
  [5,       'meetings', getMeeting],
  [2,       'meetings', deleteMeeting],
  [2,       'meetings', createAttendee],
  [2,       'chat',     createInstance],
  [1,       'chat',     deleteInstance],
  [3,       'chat',     createAppUser],
  [2,       'chat',     deleteAppUser],
  [2,       'chat',     createChannel],
  [1,       'chat',     deleteChannel],
  [1,       'chat',     describeChannel],
  [2,       'chat',     addMember],
  [2,       'chat',     removeMember],
  [7,       'chat',     sendMessage],
  [2,       'chat',     repeatMessage],
  [6,       'chat',     connect],
  [4,       'sign-in',  signIn],
  [3,       'sign-in',  useSignIn],
  [1,       'sign-in',  signOut],
  [2,       'sign-in',  changePassword],
  [3,       'sign-in',  deleteConsoleUser],
];

/** Returns the functions that create the calls of a run, each with its weight. */
function weightsOf(theme: Theme): readonly (readonly [weight: number, make: Make])[] {
  return CALLS.map(([weight, of, make]) => [of === theme ? weight * THEME_FACTOR : weight, make]);
}

const WEIGHTS: Readonly<Record<Theme, ReturnType<typeof weightsOf>>> = {
  identity: weightsOf('identity'),
  meetings: weightsOf('meetings'),
  chat: weightsOf('chat'),
  'sign-in': weightsOf('sign-in'),
};

/** Creates the call with this number. Returns undefined if the model has no resource yet that the call could act on. */
export function newCall(model: Model, theme: Theme, random: Random, index: number, begin: number): Call | undefined {
  const make = random.weighted(WEIGHTS[theme]);
  return make({ model, random, index, begin, change: newChange(index, begin) });
}

function grant({ model, random, index, change }: Context): Call {
  const of = random.pick([...model.users, model.role]);
  const actions = random.chance(0.6) ? ACTIONS : [random.pick(ACTIONS)];
  const policyName = `policy-${index}`;
  of.grants.push({ policyName, actions, fact: newFact(`${policyName} of ${of.name}, which allows ${actions}`, change) });
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] });
  const request = policyRequest('Put', of, { PolicyName: policyName, PolicyDocument });
  return { title: `admin allows ${actions} to ${of.name}`, key: model.admin, request, change };
}

function withdrawGrant({ model, random, change }: Context): Call | undefined {
  const all = [...model.users, model.role].flatMap((of) => of.grants.map((grant) => ({ of, grant })));
  const chosen = pickRecent(random, all);
  if (chosen === undefined) return undefined;
  const { of, grant } = chosen;
  grant.fact.withdrawals.push(change);
  const { policyName } = grant;
  const request = policyRequest('Delete', of, { PolicyName: policyName });
  return {
    title: `admin deletes ${policyName} of ${of.name}`,
    key: model.admin,
    request,
    resources: [grant.fact],
    change,
  };
}

/**
 * Creates a call that adds a Deny policy to an identity. Some of these policies deny only sessions that were issued
 * before the call.
 */
function deny({ model, random, index, begin, change }: Context): Call {
  const of = random.pick([...model.users, model.role, model.role]);
  const actions = random.chance(0.5) ? ACTIONS : [random.pick(ACTIONS)];
  const revokes = random.chance(of.kind === 'role' ? 0.6 : 0.2);
  const policyName = `denial-${index}`;
  const fact = newFact(`${policyName} of ${of.name}, which denies ${actions}${revokes ? ' to older sessions' : ''}`, change);
  of.denials.push({ policyName, actions, fact, ...(revokes && { issuedBefore: begin }) });
  const Condition = { DateLessThan: { 'aws:TokenIssueTime': new Date(Date.now()).toISOString() } };
  const Statement = [{ Effect: 'Deny', Action: actions, Resource: '*', ...(revokes && { Condition }) }];
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  return {
    title: `admin denies ${actions} to ${revokes ? 'older sessions of ' : ''}${of.name}`,
    key: model.admin,
    request: policyRequest('Put', of, { PolicyName: policyName, PolicyDocument }),
    change,
  };
}

function withdrawDenial({ model, random, change }: Context): Call | undefined {
  const all = [...model.users, model.role].flatMap((of) => of.denials.map((denial) => ({ of, denial })));
  const chosen = pickRecent(random, all);
  if (chosen === undefined) return undefined;
  const { of, denial } = chosen;
  denial.fact.withdrawals.push(change);
  return {
    title: `admin deletes ${denial.policyName} of ${of.name}`,
    key: model.admin,
    request: policyRequest('Delete', of, { PolicyName: denial.policyName }),
    resources: [denial.fact],
    change,
  };
}

function policyRequest(verb: 'Put' | 'Delete', of: Identity, members: Readonly<Record<string, string>>): Request {
  return of.kind === 'user'
    ? queryRequest('iam', `${verb}UserPolicy`, { UserName: of.name, ...members })
    : queryRequest('iam', `${verb}RolePolicy`, { RoleName: of.name, ...members });
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
    model.keys.filter(({ of }) => model.users.includes(of)),
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
      model.keys.push({ of: model.role, credentials, fact, exists: fact, issued: change });
    },
    change,
  };
}

/** User names for concurrent CreateUser calls: at most one call per name succeeds. */
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

function createMeeting({ model, random, index, change }: Context): Call {
  const externalId = `meeting-${index}`;
  const meeting: Meeting = { id: undefined, externalId, token: `token-${index}`, fact: newFact(externalId, change) };
  model.meetings.push(meeting);
  return meetingCall(model, random.chance(0.4) ? model.admin : pickKey(model, random, 'chime:CreateMeeting'), meeting);
}

/** Repeats a CreateMeeting request with its client request token. The second response has the ID of the same meeting. */
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
    ...permissionOf(model, key, 'chime:CreateMeeting'),
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
    ...permissionOf(model, key, 'chime:GetMeeting'),
    resources: [meeting.fact],
  };
}

/** Deletes a meeting. Skips meetings whose CreateMeeting request was repeated: a late repetition would create the meeting again. */
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
