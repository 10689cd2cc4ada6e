import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after } from 'node:test';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { until } from '../kit/until.ts';

/** A SIP message that a party received. Names of headers are in lower case. */
export interface SipMessage {
  /** Code of a response, or 0. */
  readonly code: number;
  /** Reason of a response. */
  readonly reason: string;
  /** Method of the request, or of the request that the response belongs to. */
  readonly method: string;
  /** Request-URI of a request. */
  readonly uri: string;
  readonly callId: string;
  readonly text: string;
  /** Returns the values of a header, in order. */
  all(name: string): readonly string[];
  /** Returns the first value of a header, or an empty string. */
  header(name: string): string;
}

export type Transport = 'udp' | 'tcp' | 'tls';

/** Certificate of a party that accepts TLS connections, and the CA that its own connections require. */
export interface PartyTls {
  readonly key?: string;
  readonly cert?: string;
  readonly ca?: string;
}

/** A SIP user agent at one address, such as a customer's PBX or the target of a route. */
export interface Party {
  readonly host: string;
  readonly port: number;
  readonly received: readonly SipMessage[];
  send(message: string | Buffer): void;
  /** Waits for a message that matches, and removes it. */
  next(matches: (message: SipMessage) => boolean, description: string): Promise<SipMessage>;
  /** Waits for the final response of a call or transaction. */
  final(call: Call, method?: string): Promise<SipMessage>;
  /** Starts a call or another transaction. `from` and `to` are the users of the URIs. */
  call(uri: string, options?: CallOptions): Call;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly method?: string;
  readonly from?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** One call of a party, with the identifiers of its requests. */
export interface Call {
  readonly callId: string;
  readonly uri: string;
  /** Request that started the call, as it was sent. */
  readonly text: string;
  readonly branch: string;
  /** Sends the request again with an answer to the challenge of a 407. */
  authorize(challenge: SipMessage, user: string, password: string, changes?: Readonly<Record<string, string>>): void;
  /** Sends the ACK of a 200 response. */
  ack(ok: SipMessage): void;
  /** Sends the ACK of an error response. */
  ackError(response: SipMessage): void;
  /** Sends a request inside the call. */
  inside(
    method: string,
    ok: SipMessage,
    options?: { readonly uri?: string; readonly routes?: readonly string[]; readonly headers?: readonly string[] },
  ): void;
  cancel(): void;
}

/** Code of a response. The party waits for a promise before it sends this response and the next ones. */
export type Code = number | Promise<number>;

/** Reaction of a party to a request. Returns the codes of the responses, in order. */
export type Answer = (request: SipMessage) => Code | readonly Code[] | undefined;

/** Answers each request with 200. */
export const ANSWER: Answer = () => 200;

export interface PartyOptions {
  readonly answer?: Answer;
  /** Code of the final response to an INVITE that is canceled. */
  readonly onCancel?: number;
  readonly port?: number;
  readonly tls?: PartyTls;
}

/**
 * Opens a party, which ends after the tests of the file. Over TCP and TLS, it connects to the proxy with its first message.
 *
 * `port` is 0 for a free one. `answer` reacts to requests; a list of codes is sent in order.
 */
export async function openParty(
  transport: Transport,
  host: string,
  proxy: { readonly host: string; readonly port: number },
  { answer, onCancel, port = 0, tls = {} }: PartyOptions = {},
): Promise<Party> {
  const received: SipMessage[] = [];
  const waiting: SipMessage[] = [];
  const sockets = new Set<Socket>();
  const udp = transport === 'udp' ? createSocket('udp4') : undefined;
  let outgoing: Socket | undefined;

  const receive = (text: string, reply: (message: string) => void) => {
    const message = parseSip(text);
    if (message === undefined) return;
    if (message.code !== 0) {
      const branch = branchOf(text);
      clearTimeout(unanswered.get(branch));
      unanswered.delete(branch);
    }
    received.push(message);
    waiting.push(message);
    if (message.code !== 0 || message.method === 'ACK' || answer === undefined) return;
    const invite = received.find(({ code, method, callId }) => code === 0 && method === 'INVITE' && callId === message.callId);
    if (message.method === 'CANCEL' && onCancel !== undefined && invite !== undefined)
      reply(responseTo(invite, onCancel, `${host}:${own.port}`, transport));
    const codes = answer(message);
    void (async () => {
      for (const code of codes === undefined ? [] : [codes].flat())
        reply(responseTo(message, await code, `${host}:${own.port}`, transport));
    })();
  };
  const follow = (socket: Socket) => {
    sockets.add(socket);
    eachMessage(socket, (text) => receive(text, (message) => socket.write(message)));
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const listener =
    transport === 'udp'
      ? undefined
      : transport === 'tls' && tls.key !== undefined
        ? createTlsServer({ key: tls.key, cert: tls.cert ?? '' }, follow)
        : createServer(follow);
  listener?.on('tlsClientError', () => undefined);
  const own = { port };
  if (udp !== undefined) {
    udp.on('message', (data, from) => receive(data.toString('latin1'), (message) => udp.send(message, from.port, from.address)));
    await new Promise<void>((done, fail) => void udp.once('error', fail).bind(port, host, done));
    own.port = udp.address().port;
  } else {
    const accepting = listener as Server;
    await new Promise<void>((done, fail) => void accepting.once('error', fail).listen(port, host, done));
    own.port = (accepting.address() as { port: number }).port;
  }
  const stream = () => {
    if (outgoing !== undefined && !outgoing.destroyed) return outgoing;
    const to = { host: proxy.host, port: proxy.port, localAddress: host };
    outgoing = follow(
      transport === 'tcp' ? connect(to) : tlsConnect({ ...to, ...(tls.ca !== undefined && { ca: tls.ca }), servername: 'localhost' }),
    );
    return outgoing;
  };
  /** Requests that have no response yet, by their branch. */
  const unanswered = new Map<string, NodeJS.Timeout>();
  const repeat = (text: string, waitMs: number) => {
    const branch = branchOf(text);
    const again = setTimeout(() => {
      send(text);
      repeat(text, Math.min(waitMs * 2, 4_000));
    }, waitMs);
    unanswered.set(branch, again.unref());
  };
  /** Sends a request. Over UDP, repeats it until a response arrives, as RFC 3261 §17.1 requires. */
  const request = (text: string) => {
    send(text);
    if (udp !== undefined && !text.startsWith('ACK ')) repeat(text, 500);
  };
  const send = (message: string | Buffer) => {
    const data = typeof message === 'string' ? Buffer.from(message, 'latin1') : message;
    if (udp !== undefined) udp.send(data, proxy.port, proxy.host);
    else stream().write(data);
  };
  const next: Party['next'] = async (matches, description) => {
    let found = -1;
    await until(
      () => (found = waiting.findIndex(matches)) >= 0,
      () => `${description} did not arrive at ${host}; received: ${received.map((each) => each.text.split('\r\n')[0]).join(', ')}`,
    );
    return waiting.splice(found, 1)[0] as SipMessage;
  };
  let closed: Promise<void> | undefined;
  const close = () =>
    (closed ??= (async () => {
      for (const timer of unanswered.values()) clearTimeout(timer);
      unanswered.clear();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => (udp === undefined ? listener?.close(() => done()) : udp.close(done)));
    })());
  after(close);
  return {
    host,
    get port() {
      return own.port;
    },
    received,
    send,
    next,
    final: (call, method = 'INVITE') =>
      next(({ code, callId, method: of }) => code >= 200 && callId === call.callId && of === method, `the final response to ${method}`),
    call: (uri, options = {}) => startCall(request, transport, `${host}:${own.port}`, uri, options),
    close,
  };
}

/** Calls `take` with each SIP message of a stream. */
function eachMessage(socket: Socket, take: (text: string) => void): void {
  let rest = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    rest += chunk;
    for (;;) {
      rest = rest.replace(/^(\r\n)+/, '');
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/^(?:content-length|l)\s*:\s*(\d+)/im.exec(rest.slice(0, end))?.[1] ?? 0);
      if (rest.length < end + 4 + length) return;
      const text = rest.slice(0, end + 4 + length);
      rest = rest.slice(end + 4 + length);
      take(text);
    }
  });
}

function startCall(send: Party['send'], transport: Transport, own: string, uri: string, options: CallOptions): Call {
  const { method = 'INVITE', from = '+12065550199', headers = [], body = '' } = options;
  const callId = `${randomBytes(8).toString('hex')}@test`;
  const fromTag = randomBytes(6).toString('hex');
  let cseq = 1;
  let branch = newBranch();
  let text = '';
  const contact = `<sip:test@${own};transport=${transport}>`;
  const build = (
    name: string,
    { to = `<${uri}>`, target = uri, routes = [], more = [], number = cseq, content = '' }: Partial<Built>,
  ): string =>
    [
      `${name} ${target} SIP/2.0`,
      `Via: SIP/2.0/${transport.toUpperCase()} ${own};branch=${branch};rport`,
      ...routes.map((route) => `Route: ${route}`),
      'Max-Forwards: 70',
      `From: <sip:${from}@pbx.example.com>;tag=${fromTag}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${number} ${name === 'ACK' || name === 'CANCEL' ? name : name}`,
      `Contact: ${contact}`,
      ...more,
      ...(content === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${content.length}`,
      '',
      content,
    ].join('\r\n');
  const start = (more: readonly string[]) => {
    text = build(method, { more, content: body });
    send(text);
  };
  start(headers);
  const target = (ok: SipMessage) => /<([^>]+)>/.exec(ok.header('contact'))?.[1] ?? uri;
  return {
    callId,
    uri,
    get text() {
      return text;
    },
    get branch() {
      return branch;
    },
    authorize(challenge, user, password, changes = {}) {
      cseq += 1;
      branch = newBranch();
      const value = (name: string) => new RegExp(`${name}="?([^",]+)`, 'i').exec(challenge.header('proxy-authenticate'))?.[1] ?? '';
      const facts = { nonce: value('nonce'), realm: value('realm'), nc: '00000001', cnonce: 'c0ffee', ...changes };
      const md5 = (input: string) => createHash('md5').update(input).digest('hex');
      const answer = md5(
        `${md5(`${user}:${facts.realm}:${password}`)}:${facts.nonce}:${facts.nc}:${facts.cnonce}:auth:${md5(`${method}:${uri}`)}`,
      );
      start([
        ...headers,
        `Proxy-Authorization: Digest username="${user}", realm="${facts.realm}", nonce="${facts.nonce}", uri="${uri}", response="${answer}", algorithm=MD5, qop=auth, nc=${facts.nc}, cnonce="${facts.cnonce}"`,
      ]);
    },
    ack(ok) {
      branch = newBranch();
      send(build('ACK', { to: ok.header('to'), target: target(ok), routes: ok.all('record-route').toReversed() }));
    },
    ackError(response) {
      send(build('ACK', { to: response.header('to') }));
    },
    inside(name, ok, { uri: to = target(ok), routes = ok.all('record-route').toReversed(), headers: more = [] } = {}) {
      cseq += 1;
      branch = newBranch();
      send(build(name, { to: ok.header('to'), target: to, routes, more }));
    },
    cancel() {
      send(build('CANCEL', {}));
    },
  };
}

interface Built {
  readonly to: string;
  readonly target: string;
  readonly routes: readonly string[];
  readonly more: readonly string[];
  readonly number: number;
  readonly content: string;
}

/** Returns the branch of the first Via header, which responses repeat, with the method: a CANCEL has the branch of its INVITE. */
function branchOf(text: string): string {
  return `${/^CSeq:.* ([A-Z]+)\r$/im.exec(text)?.[1]} ${/branch=([^;\s,]+)/i.exec(text)?.[1]}`;
}

function newBranch(): string {
  return `z9hG4bK${randomBytes(8).toString('hex')}`;
}

function parseSip(text: string): SipMessage | undefined {
  const [first = '', ...lines] = (text.split('\r\n\r\n')[0] ?? '').split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
  });
  const all = (name: string) => headers.filter(([each]) => each === name).map(([, value]) => value);
  const header = (name: string) => all(name)[0] ?? '';
  const response = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(first);
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(first);
  if (response === null && request === null) return undefined;
  return {
    code: Number(response?.[1] ?? 0),
    reason: response?.[2] ?? '',
    method: request?.[1] ?? header('cseq').split(' ')[1] ?? '',
    uri: request?.[2] ?? '',
    callId: header('call-id'),
    text,
    all,
    header,
  };
}

function responseTo(request: SipMessage, code: number, own: string, transport: Transport): string {
  const to = request.header('to');
  return [
    `SIP/2.0 ${code} ${code === 200 ? 'OK' : 'Response'}`,
    ...request.all('via').map((via) => `Via: ${via}`),
    ...request.all('record-route').map((route) => `Record-Route: ${route}`),
    `From: ${request.header('from')}`,
    `To: ${/;tag=/.test(to) || code === 100 ? to : `${to};tag=${request.callId.slice(0, 8)}`}`,
    `Call-ID: ${request.callId}`,
    `CSeq: ${request.header('cseq')}`,
    `Contact: <sip:answer@${own};transport=${transport}>`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}
