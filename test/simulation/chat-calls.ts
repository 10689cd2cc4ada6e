/** Calls of the server simulation about app instances, their users, channels, memberships, messages and messaging sessions. */

import { type Context, permissionOf, pickKey, pickRecent, repeat, setId } from './call-context.ts';
import { newFact } from './facts.ts';
import {
  type AppInstance,
  type AppUser,
  type Call,
  type Channel,
  type Key,
  lastOf,
  type Membership,
  type Message,
  type Model,
} from './model.ts';
import { chimeRequest, connectRequest } from './requests.ts';

/** Name of the app instance that exists for the whole run. */
const LASTING = 'chat';

const named = (model: Model): (AppInstance & { readonly arn: string })[] =>
  model.instances.filter((instance): instance is AppInstance & { readonly arn: string } => instance.arn !== undefined);

export function createInstance({ model, index, change }: Context): Call {
  const name = `instance-${index}`;
  const instance: AppInstance = { name, arn: undefined, fact: newFact(name, change) };
  model.instances.push(instance);
  return {
    title: `admin creates ${name}`,
    key: model.admin,
    request: chimeRequest('identity', 'POST', '/app-instances', { body: { Name: name, ClientRequestToken: name } }),
    change,
    onDone: (output) => void (instance.arn = output.member('AppInstanceArn')),
  };
}

/** Deletes an app instance. The server also deletes the users, channels and memberships of the app instance. */
export function deleteInstance({ model, random, change }: Context): Call | undefined {
  const instance = pickRecent(
    random,
    named(model).filter(({ name }) => name !== LASTING),
  );
  if (instance === undefined) return undefined;
  instance.fact.withdrawals.push(change);
  return {
    title: `admin deletes ${instance.name}`,
    key: model.admin,
    request: chimeRequest('identity', 'DELETE', `/app-instances/${encodeURIComponent(instance.arn)}`),
    resources: [instance.fact],
    change,
  };
}

export function createAppUser({ model, random, index, change }: Context): Call | undefined {
  const instance = pickRecent(random, named(model));
  if (instance === undefined) return undefined;
  const id = `user-${index}`;
  const body = { AppInstanceArn: instance.arn, AppInstanceUserId: id, Name: id, ClientRequestToken: id };
  model.appUsers.push({ instance, arn: `${instance.arn}/user/${id}`, fact: newFact(id, change) });
  return {
    title: `admin creates ${id} in ${instance.name}`,
    key: model.admin,
    request: chimeRequest('identity', 'POST', '/app-instance-users', { body }),
    resources: [instance.fact],
    change,
  };
}

/** Deletes an app instance user. The server also deletes the memberships of the user. */
export function deleteAppUser({ model, random, change }: Context): Call | undefined {
  // Keeps the first user, because the audit reads messages as this user.
  const user = pickRecent(random, model.appUsers.slice(1));
  if (user === undefined) return undefined;
  user.fact.withdrawals.push(change);
  return {
    title: `admin deletes ${lastOf(user.arn)}`,
    key: model.admin,
    request: chimeRequest('identity', 'DELETE', `/app-instance-users/${encodeURIComponent(user.arn)}`),
    resources: [user.instance.fact, user.fact],
    change,
  };
}

/** Creates a channel. The creator becomes the first member. */
export function createChannel({ model, random, index, change }: Context): Call {
  const creator = pickRecent(random, model.appUsers) as AppUser;
  const { instance, arn: bearer } = creator;
  const id = `channel-${index}`;
  const body = { AppInstanceArn: instance.arn, Name: id, ChannelId: id, ClientRequestToken: id };
  const channel: Channel = { instance, arn: `${instance.arn}/channel/${id}`, creator, fact: newFact(id, change) };
  model.channels.push(channel);
  model.memberships.push({ channel, user: creator, fact: newFact(`the membership of ${lastOf(bearer)} in ${id}`, change) });
  return {
    title: `admin creates ${id} as ${lastOf(bearer)}`,
    key: model.admin,
    request: chimeRequest('messaging', 'POST', '/channels', { body, bearer }),
    resources: [instance.fact, creator.fact],
    change,
  };
}

const pathOf = (channel: Channel, rest = ''): string => `/channels/${encodeURIComponent(channel.arn)}${rest}`;

export function deleteChannel({ model, random, change }: Context): Call | undefined {
  const channel = pickRecent(random, model.channels.slice(1));
  if (channel === undefined) return undefined;
  channel.fact.withdrawals.push(change);
  return {
    title: `admin deletes ${lastOf(channel.arn)}`,
    key: model.admin,
    request: chimeRequest('messaging', 'DELETE', pathOf(channel), { bearer: channel.creator.arn }),
    resources: [channel.instance.fact, channel.creator.fact, channel.fact],
    change,
  };
}

export function describeChannel({ model, random }: Context): Call {
  const { channel, user, fact } = pickRecent(random, model.memberships) as Membership;
  return {
    title: `admin reads ${lastOf(channel.arn)} as ${lastOf(user.arn)}`,
    key: model.admin,
    request: chimeRequest('messaging', 'GET', pathOf(channel), { bearer: user.arn }),
    // The creator is the channel's moderator, who can read the channel without a membership.
    resources: [channel.instance.fact, user.fact, channel.fact, ...(user === channel.creator ? [] : [fact])],
  };
}

/** Creates the membership of a user who has never been a member of the channel. */
export function addMember({ model, random, change }: Context): Call | undefined {
  const channel = pickRecent(random, model.channels) as Channel;
  const joined = new Set(model.memberships.filter((one) => one.channel === channel).map(({ user }) => user));
  const user = pickRecent(
    random,
    model.appUsers.filter((one) => one.instance === channel.instance && !joined.has(one)),
  );
  if (user === undefined) return undefined;
  const name = `the membership of ${lastOf(user.arn)} in ${lastOf(channel.arn)}`;
  model.memberships.push({ channel, user, fact: newFact(name, change) });
  return {
    title: `admin creates ${name}`,
    key: model.admin,
    request: chimeRequest('messaging', 'POST', pathOf(channel, '/memberships'), {
      body: { MemberArn: user.arn, Type: 'DEFAULT' },
      bearer: channel.creator.arn,
    }),
    resources: [channel.instance.fact, channel.creator.fact, channel.fact, user.fact],
    change,
  };
}

export function removeMember({ model, random, change }: Context): Call | undefined {
  const membership = pickRecent(
    random,
    model.memberships.filter(({ channel, user }) => user !== channel.creator),
  );
  if (membership === undefined) return undefined;
  const { channel, user, fact } = membership;
  fact.withdrawals.push(change);
  return {
    title: `admin deletes ${fact.name}`,
    key: model.admin,
    request: chimeRequest('messaging', 'DELETE', pathOf(channel, `/memberships/${encodeURIComponent(user.arn)}`), {
      bearer: channel.creator.arn,
    }),
    resources: [channel.instance.fact, channel.creator.fact, channel.fact, user.fact, fact],
    change,
  };
}

export function sendMessage({ model, random, index, change }: Context): Call {
  const content = `message-${index}`;
  const sender = random.chance(0.5) ? (model.memberships[0] as Membership) : (pickRecent(random, model.memberships) as Membership);
  const message: Message = { id: undefined, content, sender, fact: newFact(content, change) };
  model.messages.push(message);
  return messageCall(model, random.chance(0.4) ? model.admin : pickKey(model, random, 'chime:SendChannelMessage'), message);
}

/** Repeats a SendChannelMessage request with its client request token. The second response has the ID of the same message. */
export function repeatMessage({ model, random, index }: Context): Call | undefined {
  const message = pickRecent(random, model.messages);
  if (message === undefined) return undefined;
  repeat(message.fact, index);
  return messageCall(model, model.admin, message);
}

function messageCall(model: Model, key: Key, message: Message): Call {
  const { content, sender, fact } = message;
  const { channel, user } = sender;
  const body = { Content: content, Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: content };
  return {
    title: `${key.of.name} sends ${content} to ${lastOf(channel.arn)} as ${lastOf(user.arn)}`,
    key,
    request: chimeRequest('messaging', 'POST', pathOf(channel, '/messages'), { body, bearer: user.arn }),
    ...permissionOf(model, key, 'chime:SendChannelMessage'),
    resources: [channel.instance.fact, user.fact, channel.fact, sender.fact],
    change: fact.established,
    onDone: (output) => setId(message, content, output.member('MessageId')),
  };
}

/** Opens a messaging session. */
export function connect({ model, random, index }: Context): Call {
  const user = random.chance(0.7) ? random.pick(model.appUsers.slice(0, 3)) : (pickRecent(random, model.appUsers) as AppUser);
  const key = random.chance(0.4) ? model.admin : pickKey(model, random, 'chime:Connect');
  return {
    title: `${key.of.name} connects as ${lastOf(user.arn)}`,
    key,
    request: connectRequest(user.arn, `session-${index}`),
    ...permissionOf(model, key, 'chime:Connect'),
    resources: [user.instance.fact, user.fact],
    connects: user,
  };
}
