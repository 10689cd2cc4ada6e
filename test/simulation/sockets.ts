/** WebSockets of simulated messaging sessions. Checks every frame that a server sends to a socket. */
import type { SocketOrder } from '#realtime/protocol.ts';
import { type Fact, mayHold, mustHold } from './facts.ts';
import { type Call, contradiction, lastOf, type Membership, type Model } from './model.ts';
import type { Process, World } from './world.ts';

/** Sockets of all servers of a run. */
export interface SimulatedSockets {
  /** Adds the socket of a Connect request. Numbers are unique in a run. */
  add(socket: number, call: Call, process: Process): void;
  /** Executes the socket commands of a server, and checks the frames. */
  follow(process: Process, orders: readonly SocketOrder[]): void;
  /** Returns the first contradiction between the open sockets and the model. Call it after all calls and faults have ended. */
  audit(): string | undefined;
  /** Returns the number of sent frames that contain a channel message. */
  messages(): number;
}

interface Socket {
  readonly number: number;
  readonly call: Call;
  readonly process: Process;
  establishedAt: number;
  closed: boolean;
  /** Contents of the messages that were sent to the socket. */
  readonly received: Set<string>;
  /** ARNs of the channels that the user has left or that were deleted, according to the frames sent to the socket. */
  readonly left: Set<string>;
}

interface Frame {
  readonly Headers: { readonly 'x-amz-chime-event-type': string };
  /** Channel, message or membership that the event is about, as JSON. */
  readonly Payload?: string;
}

interface Payload {
  readonly ChannelArn: string;
  readonly Content?: string;
  readonly Member?: { readonly Arn: string };
}

/** Successful outcome with an empty output, because the check of a frame does not depend on an output. */
const DONE = { kind: 'done', output: { text: '', member: () => '', members: () => [], header: () => undefined } } as const;

/** Creates the sockets of a run. */
export function newSockets(world: World, model: Model): SimulatedSockets {
  const sockets = new Map<number, Socket>();
  let messages = 0;

  /** Returns the reason why a server must not send this frame now, or undefined. */
  function judge(socket: Socket, { Headers, Payload }: Frame): string | undefined {
    const now = world.time();
    const type = Headers['x-amz-chime-event-type'];
    if (socket.closed) return 'is closed';
    // Checks the permissions of the caller's identity, but not whether the app instance user exists. A session may
    // receive an event from before the deletion of its user. `judgeMessage` checks the resources since the time of the
    // message.
    const { resources: _, ...byIdentity } = socket.call;
    const denied = contradiction(byIdentity, now, now, DONE);
    if (denied !== undefined) return `has no permission: the Connect request would have ${denied}`;
    if (type === 'SESSION_ESTABLISHED') {
      if (socket.establishedAt < now) return 'was established before';
      socket.establishedAt = now;
      return undefined;
    }
    if (socket.establishedAt > now) return 'is not established';
    const payload = JSON.parse(Payload ?? '{}') as Payload;
    if (socket.left.has(payload.ChannelArn)) return 'has received the last event of the channel';
    if (type === 'CREATE_CHANNEL_MESSAGE') return judgeMessage(socket, payload);
    const isOwn = payload.Member?.Arn === socket.call.connects?.arn;
    if (type === 'DELETE_CHANNEL' || (type === 'DELETE_CHANNEL_MEMBERSHIP' && isOwn)) socket.left.add(payload.ChannelArn);
    return undefined;
  }

  function judgeMessage({ call, received }: Socket, { ChannelArn, Content = '' }: Payload): string | undefined {
    messages++;
    const message = model.messages.find(({ content }) => content === Content);
    if (message === undefined) return `received a message that was never sent: ${Content}`;
    if (received.has(Content)) return `received ${Content} twice`;
    received.add(Content);
    const { begin, outcome } = message.fact.established;
    if (outcome === 'not done') return `received ${Content}, which was refused`;
    const membership = membershipOf(call, ChannelArn);
    if (membership === undefined) return `received ${Content} of a channel that its user never joined`;
    const missing = factsOf(membership).find((fact) => !mayHold(fact, begin, world.time()));
    return missing && `received ${Content}, which was sent without ${missing.name}`;
  }

  const membershipOf = ({ connects }: Call, channelArn: string): Membership | undefined =>
    model.memberships.find(({ channel, user }) => user === connects && channel.arn === channelArn);

  const factsOf = ({ channel, user, fact }: Membership): Fact[] => [channel.instance.fact, channel.fact, user.fact, fact];

  /** Returns a message that an open session should have received but did not. */
  function missed(socket: Socket): string | undefined {
    for (const { content, sender, fact } of model.messages) {
      const { outcome, begin, end } = fact.established;
      const membership = membershipOf(socket.call, sender.channel.arn);
      if (outcome !== 'done' || begin <= socket.establishedAt || membership === undefined || socket.received.has(content)) continue;
      if (factsOf(membership).every((one) => mustHold(one, begin, Math.max(begin, end)))) return content;
    }
    return undefined;
  }

  return {
    add: (number, call, process) =>
      void sockets.set(number, {
        ...{ number, call, process, establishedAt: Number.POSITIVE_INFINITY, closed: false },
        ...{ received: new Set<string>(), left: new Set<string>() },
      }),
    follow(process, orders) {
      for (const order of orders) {
        for (const number of order.to) {
          const socket = sockets.get(number);
          if (socket === undefined || socket.process !== process) continue;
          if ('close' in order) socket.closed = true;
          else for (const frame of order.send) report(socket, judge(socket, JSON.parse(frame) as Frame), frame);
        }
      }
    },
    audit() {
      const now = world.time();
      for (const socket of sockets.values()) {
        if (socket.closed || socket.establishedAt > now || !socket.process.isAlive()) continue;
        const denied = contradiction(socket.call, now, now, DONE);
        if (denied !== undefined) return `the session of socket ${socket.number} is open, but its Connect request would have ${denied}`;
        const content = missed(socket);
        if (content !== undefined) return `the session of socket ${socket.number} did not receive ${content}`;
        const undone = model.messages.find(
          (message) => socket.received.has(message.content) && message.fact.established.outcome !== 'done',
        );
        if (undone !== undefined) return `the session of socket ${socket.number} received ${undone.content}, which is not stored`;
      }
      return undefined;
    },
    messages: () => messages,
  };

  function report({ number, call, process }: Socket, wrong: string | undefined, frame: string): void {
    if (wrong === undefined) return;
    const user = lastOf(call.connects?.arn ?? '');
    world.violate(`${process.name} sent ${frame} to socket ${number} (${call.title}, user ${user}), which ${wrong}`);
  }
}
