/**
 * Calls through Kamailio and a running server. `../shared/spec/sip.md` §10 lists the scenarios. The carrier's calls have no limit of calls per
 * second, so most tests use it. Nothing here depends on a time.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import * as sdk from '@aws-sdk/client-chime-sdk-voice';
import { startAccount } from '../kit/account.ts';
import { until } from '../kit/until.ts';
import { ANSWER, type Call, type Code, openParty, type Party, type SipMessage } from './party.ts';
import { PROXY_HOST, routeCertificate, sipSettings } from './proxy.ts';
import {
  CARRIER,
  CUSTOMER,
  callWithinLimit,
  createTrunk,
  hangUp,
  hostOf,
  inbound,
  number,
  orderNumbers,
  route,
  STRANGER,
  setRoutes,
  setTermination,
} from './trunks.ts';

const routeTls = await routeCertificate();
const sip = await sipSettings('child', {
  BELFRY_SIP_CARRIERS: CARRIER,
  BELFRY_SIP_ROUTE_TIMEOUT_MS: '1000',
  BELFRY_SIP_ROUTE_CA: routeTls.caFile,
});
const account = await startAccount(sip.environment);
const voice = account.voice();
await orderNumbers(voice, account.server.dataFolder);
const [customer, stranger, carrier] = (await Promise.all(
  [CUSTOMER, STRANGER, CARRIER].map((host) => openParty('udp', host, sip.plain)),
)) as [Party, Party, Party];

/** Answers INVITE with the code, and other requests with 200. */
const answering = (...codes: readonly Code[]) => ({ answer: ({ method }: SipMessage) => (method === 'INVITE' ? codes : 200) });
const far = await openParty('udp', '127.0.10.3', sip.plain, { answer: ANSWER });
const trunk = await createTrunk(voice, { name: 'trunk', numbers: [number(0)] });
const office = await createTrunk(voice, { name: 'office', numbers: [number(1)], routes: [route(far)] });

/** Calls the number of the office from the carrier. Returns the final response. */
async function carrierCall(to = number(1), options = {}) {
  const call = carrier.call(inbound(to), { from: '+12125550100', ...options });
  return { call, final: await carrier.final(call) };
}

/** Returns the code of a customer's INVITE to the office. */
async function customerCode(uri = `sip:${number(1)}@${hostOf(trunk)}`, from = number(0)): Promise<number> {
  const { call, final } = await callWithinLimit(customer, () => customer.call(uri, { from }));
  if (final.code !== 200) call.ackError(final);
  else {
    call.ack(final);
    await hangUp(customer, call, final);
  }
  return final.code;
}

test('Credentials: a right password is 200, and an unknown user, a wrong password or a used nonce is 407', async () => {
  const Credentials = [
    { Username: 'ada', Password: 'a long secret' },
    { Username: 'bob', Password: 'another secret' },
  ];
  for (const each of Credentials) {
    await voice.send(new sdk.PutVoiceConnectorTerminationCredentialsCommand({ VoiceConnectorId: trunk, Credentials: [each] }));
  }
  const uri = `sip:${number(1)}@${hostOf(trunk)}`;
  /** Calls, and answers the challenge of the 407. Repeats that while the limit of one call per second refuses it. */
  const login = async (user: string, password: string) => {
    let found: { readonly call: Call; readonly challenge: SipMessage; readonly final: SipMessage } | undefined;
    await until(
      async () => {
        const call = customer.call(uri, { from: number(0) });
        const challenge = await customer.final(call);
        assert.equal(challenge.code, 407);
        call.ackError(challenge);
        call.authorize(challenge, user, password);
        const final = await customer.final(call);
        if (final.code !== 200) call.ackError(final);
        found = { call, challenge, final };
        return final.code !== 503;
      },
      () => 'the limit of calls is never free',
    );
    return found as NonNullable<typeof found>;
  };
  for (const { Username, Password } of Credentials) {
    const { call, challenge, final } = await login(Username, Password);
    assert.equal(final.code, 200);
    call.ack(final);
    await hangUp(customer, call, final);
    const replay = customer.call(uri, { from: number(0) });
    replay.ackError(await customer.final(replay));
    replay.authorize(challenge, Username, Password);
    const refused = await customer.final(replay);
    assert.equal(refused.code, 407);
    replay.ackError(refused);
  }
  assert.equal((await login('ada', 'another secret')).final.code, 407);
  assert.equal((await login('eve', 'a long secret')).final.code, 407);
  assert.ok(!far.received.some(({ text }) => /proxy-authorization/i.test(text)), 'credentials reached the other side');
  await voice.send(new sdk.DeleteVoiceConnectorTerminationCredentialsCommand({ VoiceConnectorId: trunk, Usernames: ['ada', 'bob'] }));
});

test('Termination: a change of the allowed addresses applies to the next INVITE, and a stranger is 403', async () => {
  const strange = stranger.call(`sip:${number(1)}@${hostOf(trunk)}`, { from: number(0) });
  const refused = await stranger.final(strange);
  assert.deepEqual([refused.code, refused.reason], [403, 'Forbidden']);
  strange.ackError(refused);
  await setTermination(voice, trunk, { CidrAllowedList: ['127.0.10.3/32'] });
  assert.equal(await customerCode(), 403);
  await setTermination(voice, trunk);
  assert.equal(await customerCode(), 200);
});

// The source of a UDP request can be forged, so repeated responses would be a flood for its owner.
test('Refusals: the response to a stranger is sent once, and that to a customer is repeated until its ACK', async () => {
  const strange = stranger.call(`sip:${number(1)}@${hostOf(trunk)}`, { from: number(0) });
  const unknown = stranger.call(`sip:${number(1)}@${hostOf('a'.repeat(22))}`, { from: number(0) });
  assert.deepEqual([(await stranger.final(strange)).code, (await stranger.final(unknown)).code], [403, 404]);
  const refused = customer.call(`sip:${number(1)}@${hostOf(trunk)}`, { from: number(1) });
  for (let copies = 0; copies < 2; copies++) assert.equal((await customer.final(refused)).code, 403);
  refused.ackError(await customer.final(refused));
  const received = stranger.received.filter(({ code, callId }) => code >= 200 && [strange.callId, unknown.callId].includes(callId));
  assert.deepEqual(received.map(({ code }) => code).sort(), [403, 404]);
});

test('Refusals: each wrong request has its code, and adds no header to another call', async () => {
  // biome-ignore format: a table
  const rows: readonly [title: string, uri: string, from: string, code: number][] = [
    ['caller number of another connector', `sip:${number(1)}@${hostOf(trunk)}`,        number(1),          403],
    ['number that is not E.164',           `sip:0114930123@${hostOf(trunk)}`,          number(0),          484],
    ['country that is not allowed',        `sip:+442079460000@${hostOf(trunk)}`,       number(0),          403],
    ['emergency number',                   `sip:911@${hostOf(trunk)}`,                 number(0),          503],
    ['unknown connector',                  `sip:${number(1)}@${hostOf('a'.repeat(22))}`, number(0),        404],
    ['line break in the caller',           `sip:${number(1)}@${hostOf(trunk)}`,        '%0d%0aX-Evil:1',   403],
    ['quote in the caller',                `sip:${number(1)}@${hostOf(trunk)}`,        'a"b',              400],
    ['bytes that are not UTF-8',           `sip:${number(1)}@${hostOf(trunk)}`,        'a\xff\xfe',        400],
  ];
  for (const [title, uri, from, code] of rows) {
    const call = customer.call(uri, { from });
    const final = await customer.final(call);
    assert.equal(final.code, code, `${title}: ${final.text}`);
    call.ackError(final);
  }
  assert.ok(!far.received.some(({ text }) => /^X-Evil/m.test(text)));
  const register = customer.call(`sip:${hostOf(trunk)}`, { method: 'REGISTER' });
  const unsupported = await customer.final(register, 'REGISTER');
  assert.deepEqual([unsupported.code, unsupported.header('allow')], [405, 'INVITE, ACK, CANCEL, BYE, OPTIONS']);
  const large = customer.call(`sip:${number(1)}@${hostOf(trunk)}`, { headers: [`X-Large: ${'x'.repeat(9_000)}`] });
  assert.equal((await customer.final(large)).code, 513);
});

test('CpsLimit: of 20 calls at once with a limit of 1, others are 503 with Retry-After', async () => {
  const calls = Array.from({ length: 20 }, () => customer.call(`sip:${number(1)}@${hostOf(trunk)}`, { from: number(0) }));
  const finals = await Promise.all(calls.map((call) => customer.final(call)));
  for (const [i, final] of finals.entries()) {
    if (final.code === 200) {
      calls[i]?.ack(final);
      await hangUp(customer, calls[i] as (typeof calls)[0], final);
    } else {
      calls[i]?.ackError(final);
      assert.deepEqual([final.code, final.header('retry-after')], [503, '1']);
    }
  }
  const accepted = finals.filter(({ code }) => code === 200).length;
  assert.ok(accepted < 20, `${accepted} calls accepted`);
});

test('Headers: the target receives the connector ID, and neither the identity that the caller asserts nor a forged ID', async () => {
  const { call, final } = await carrierCall(number(1), {
    headers: ['P-Asserted-Identity: <sip:ceo@example.com>', 'X-VoiceConnector-ID: forged', 'X-Custom: 7'],
  });
  assert.equal(final.code, 200);
  call.ack(final);
  const invite = await far.next(({ method, callId }) => method === 'INVITE' && callId === call.callId, 'the INVITE');
  assert.deepEqual(invite.all('x-voiceconnector-id'), [office]);
  assert.deepEqual([invite.all('p-asserted-identity').filter((each) => each.includes('ceo')), invite.header('x-custom')], [[], '7']);
  assert.match(invite.uri, new RegExp(`^sip:\\${number(1)}@127\\.0\\.10\\.3:`));
  await hangUp(carrier, call, final);
});

test('Fail-over: a 503, a refused connection and silence lead to the next route', async () => {
  const [unavailable, silent, good] = await Promise.all([
    openParty('udp', '127.0.10.4', sip.plain, answering(503)),
    openParty('udp', '127.0.10.5', sip.plain, { answer: () => undefined }),
    openParty('tcp', '127.0.10.6', sip.plain, { answer: ANSWER }),
  ]);
  const refused = await openParty('tcp', '127.0.10.7', sip.plain);
  await refused.close();
  await setRoutes(voice, office, route(unavailable, 1), route(refused, 2, 'TCP'), route(silent, 3), route(good, 4, 'TCP'));
  const { call, final } = await carrierCall();
  assert.equal(final.code, 200);
  call.ack(final);
  const ofCall = ({ method, callId }: SipMessage) => method === 'INVITE' && callId === call.callId;
  assert.ok(unavailable.received.some(ofCall) && silent.received.some(ofCall));
  await good.next(ofCall, 'the INVITE of the last route');
  await hangUp(carrier, call, final);
  await good.next(({ method, callId }) => method === 'BYE' && callId === call.callId, 'the BYE');
  await setRoutes(voice, office, route(far));
});

test('Fail-over: a 486 reaches the caller, and a 503 after 180 or 183 as 500', async () => {
  // RFC 3261 §16.7: a proxy does not forward 503.
  for (const [ringing, last, code] of [
    [undefined, 486, 486],
    [180, 503, 500],
    [183, 503, 500],
  ] as const) {
    const { promise: lastCode, resolve } = Promise.withResolvers<number>();
    const first = await openParty('udp', '127.0.10.8', sip.plain, answering(...(ringing === undefined ? [] : [ringing]), lastCode));
    await setRoutes(voice, office, route(first, 1), route(far, 2));
    const call = carrier.call(inbound(number(1)), { from: '+12125550100' });
    // Two processes of the proxy could handle the responses in the other order.
    if (ringing !== undefined) await carrier.next((each) => each.code === ringing && each.callId === call.callId, `the ${ringing}`);
    resolve(last);
    const final = await carrier.final(call);
    assert.equal(final.code, code);
    call.ackError(final);
    assert.ok(!far.received.some(({ callId }) => callId === call.callId));
    await first.close();
  }
  await setRoutes(voice, office, route(far));
});

test('Weights: of 400 calls, a route with the weight 3 receives three times as many as one with the weight 1', async () => {
  const [light, heavy] = await Promise.all(['127.0.10.14', '127.0.10.15'].map((host) => openParty('udp', host, sip.plain, answering(486))));
  assert.ok(light !== undefined && heavy !== undefined);
  await setRoutes(voice, office, { ...route(light), Weight: 1 }, { ...route(heavy), Weight: 3 });
  for (let i = 0; i < 20; i++) {
    const ended = await Promise.all(Array.from({ length: 20 }, () => carrierCall()));
    for (const { call, final } of ended) {
      assert.equal(final.code, 486);
      call.ackError(final);
    }
  }
  const callsAt = ({ received }: Party) => new Set(received.flatMap(({ method, callId }) => (method === 'INVITE' ? [callId] : []))).size;
  assert.equal(callsAt(light) + callsAt(heavy), 400);
  // 5.5 standard deviations of the binomial distribution around 300. A right server is outside of them once in 26 million runs.
  assert.ok(Math.abs(callsAt(heavy) - 300) <= 48, `${callsAt(heavy)} of 400 calls`);
  await Promise.all([light.close(), heavy.close()]);
  await setRoutes(voice, office, route(far));
});

test('RES-1: a call to a group reaches the second connector if the first one fails, and is a call of the second one', async () => {
  const broken = await openParty('udp', '127.0.10.9', sip.plain, answering(500));
  await setRoutes(voice, trunk, route(broken));
  const { VoiceConnectorGroup } = await voice.send(
    new sdk.CreateVoiceConnectorGroupCommand({
      Name: 'group',
      VoiceConnectorItems: [
        { VoiceConnectorId: trunk, Priority: 1 },
        { VoiceConnectorId: office, Priority: 2 },
      ],
    }),
  );
  const VoiceConnectorGroupId = VoiceConnectorGroup?.VoiceConnectorGroupId as string;
  await voice.send(new sdk.AssociatePhoneNumbersWithVoiceConnectorGroupCommand({ VoiceConnectorGroupId, E164PhoneNumbers: [number(3)] }));
  const { call, final } = await carrierCall(number(3));
  assert.equal(final.code, 200);
  call.ack(final);
  const inviteAt = (party: Party) => party.next(({ method, callId }) => method === 'INVITE' && callId === call.callId, 'the INVITE');
  const connectorOf = async (party: Party) => (await inviteAt(party)).all('x-voiceconnector-id');
  assert.deepEqual([await connectorOf(broken), await connectorOf(far)], [[trunk], [office]]);
  await hangUp(carrier, call, final);
  const database = new DatabaseSync(join(account.server.dataFolder, 'belfry.db'), { readOnly: true, timeout: 10_000 });
  const stored = database.prepare(
    `SELECT voice_connector_id FROM sip_call WHERE document ->> 'CallId' = ? AND document ->> 'endedAt' IS NOT NULL`,
  );
  await until(
    () => stored.get(call.callId) !== undefined,
    () => 'the end of the call is not stored',
  );
  assert.equal(stored.get(call.callId)?.['voice_connector_id'], office);
  database.close();
  await voice.send(
    new sdk.DisassociatePhoneNumbersFromVoiceConnectorGroupCommand({ VoiceConnectorGroupId, E164PhoneNumbers: [number(3)] }),
  );
  await voice.send(new sdk.UpdateVoiceConnectorGroupCommand({ VoiceConnectorGroupId, Name: 'group', VoiceConnectorItems: [] }));
  await voice.send(new sdk.DeleteVoiceConnectorGroupCommand({ VoiceConnectorGroupId }));
});

test('CANCEL: a ringing call ends with 487, and its target receives the CANCEL', async () => {
  const ringing = await openParty('udp', '127.0.10.10', sip.plain, {
    answer: ({ method }) => (method === 'INVITE' ? 180 : 200),
    onCancel: 487,
  });
  await setRoutes(voice, office, route(ringing), route(far, 2));
  const call = carrier.call(inbound(number(1)), { from: '+12125550100' });
  await carrier.next(({ code, callId }) => code === 180 && callId === call.callId, 'the 180');
  call.cancel();
  assert.equal((await carrier.final(call, 'CANCEL')).code, 200);
  const final = await carrier.final(call);
  assert.equal(final.code, 487);
  call.ackError(final);
  await ringing.next(({ method, callId }) => method === 'CANCEL' && callId === call.callId, 'the CANCEL');
  assert.ok(!far.received.some(({ callId }) => callId === call.callId));
  await setRoutes(voice, office, route(far));
});

test('OPTIONS: the customer is 200, which is the health of the termination, and a stranger is 403', async () => {
  const options = (party: Party) => {
    const call = party.call(`sip:${hostOf(trunk)}`, { method: 'OPTIONS' });
    return party.final(call, 'OPTIONS');
  };
  assert.equal((await options(stranger)).code, 403);
  assert.equal((await options(customer)).code, 200);
  const { TerminationHealth } = await voice.send(new sdk.GetVoiceConnectorTerminationHealthCommand({ VoiceConnectorId: trunk }));
  assert.equal(TerminationHealth?.Source, CUSTOMER);
});

test('Inside a call: only its parties are relayed, and only to each other', async () => {
  const { call, final } = await carrierCall();
  call.ack(final);
  const within = async (...inside: Parameters<typeof call.inside>) => {
    call.inside(...inside);
    return (await carrier.final(call, inside[0])).code;
  };
  const [own = ''] = final.all('record-route');
  assert.equal(await within('INFO', final), 200);
  assert.equal(await within('SUBSCRIBE', final), 405);
  assert.equal(await within('INFO', final, { uri: 'sip:metadata@169.254.169.254:80;transport=tcp' }), 403);
  assert.equal(await within('INFO', final, { uri: 'sip:a@internal.example.com' }), 403);
  assert.equal(await within('INFO', final, { routes: [own, '<sip:127.0.0.1:7080;transport=tcp;lr>'] }), 403);
  // A stranger has the route and the tag of the call, but not its Call-ID.
  const forged = stranger.call(`sip:${number(1)}@${hostOf(trunk)}`, { method: 'OPTIONS' });
  await stranger.final(forged, 'OPTIONS');
  forged.inside('BYE', final);
  assert.equal((await stranger.final(forged, 'BYE')).code, 481);
  // A response without a transaction would go to the address in its second Via.
  const target = await openParty('udp', '127.0.10.11', sip.plain);
  const vias = [
    `Via: SIP/2.0/UDP ${PROXY_HOST}:${sip.plain.port};branch=z9hG4bKx`,
    `Via: SIP/2.0/UDP ${target.host}:${target.port};branch=z9hG4bKy`,
  ];
  stranger.send(
    [
      'SIP/2.0 200 OK',
      ...vias,
      'From: <sip:a@b>;tag=1',
      'To: <sip:a@b>;tag=2',
      'Call-ID: stray',
      'CSeq: 1 INVITE',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
  await hangUp(carrier, call, final);
  assert.deepEqual(target.received, []);
});

test('TLS: an encrypted connector refuses UDP, and relays a TLS call only to a trusted route; TLS 1.1 is refused', async () => {
  const file = (name: string) => readFileSync(`${account.server.dataFolder}/tls/${name}`, 'utf8');
  const tls = { key: file('server.key'), cert: file('server.pem'), ca: file('ca.pem') };
  const foreign = await openParty('tls', '127.0.10.13', sip.tls, { answer: ANSWER, tls });
  const secureFar = await openParty('tls', '127.0.10.12', sip.tls, { answer: ANSWER, tls: routeTls });
  const secureCustomer = await openParty('tls', CUSTOMER, sip.tls, { tls });
  const encrypted = await createTrunk(voice, {
    ...{ name: 'encrypted', numbers: [number(2)], encrypted: true, routes: [route(foreign, 1, 'TCP'), route(secureFar, 2, 'TCP')] },
  });
  const uri = `sip:${number(2)}@${hostOf(encrypted)}`;
  const plain = customer.call(uri, { from: number(2) });
  const refused = await customer.final(plain);
  assert.equal(refused.code, 403);
  plain.ackError(refused);
  const body = 'v=0\r\no=- 1 1 IN IP4 127.0.10.2\r\ns=-\r\nc=IN IP4 127.0.10.2\r\nt=0 0\r\nm=audio 40000 RTP/SAVP 0\r\n';
  const { call, final } = await callWithinLimit(secureCustomer, () => secureCustomer.call(uri, { from: number(2), body }));
  assert.equal(final.code, 200, final.text);
  call.ack(final);
  await secureFar.next(({ method, callId }) => method === 'ACK' && callId === call.callId, 'the ACK');
  // The certificate of the first route is from a CA that is not in BELFRY_SIP_ROUTE_CA.
  assert.deepEqual(foreign.received, []);
  await hangUp(secureCustomer, call, final);
  const old = tlsConnect({ ...sip.tls, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ca: tls.ca, ciphers: 'DEFAULT:@SECLEVEL=0' });
  after(() => void old.destroy());
  const error = await new Promise<NodeJS.ErrnoException>((resolve, reject) => {
    old.once('error', resolve).once('secureConnect', () => reject(new Error('TLS 1.1 was accepted')));
  });
  assert.match(String(error.code), /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/);
});

test('Deletion: a call of the deleted connector ends normally, and the next INVITE is 404', async () => {
  await voice.send(new sdk.DeleteVoiceConnectorOriginationCommand({ VoiceConnectorId: trunk }));
  const uri = `sip:${number(1)}@${hostOf(trunk)}`;
  const { call, final } = await callWithinLimit(customer, () => customer.call(uri, { from: number(0) }));
  assert.equal(final.code, 200);
  call.ack(final);
  const numbers = { VoiceConnectorId: trunk, E164PhoneNumbers: [number(0)] };
  await voice.send(new sdk.DisassociatePhoneNumbersFromVoiceConnectorCommand(numbers));
  await voice.send(new sdk.DeleteVoiceConnectorCommand({ VoiceConnectorId: trunk }));
  assert.equal(await customerCode(), 404);
  await hangUp(customer, call, final);
});

test('Restart: the server ends Kamailio when it stops', async () => {
  const pid = Number(readFileSync(`${account.server.dataFolder}/sip/proxy/run/proxy.pid`, 'utf8'));
  process.kill(pid, 0);
  await account.server.stop();
  await until(
    () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    },
    () => 'Kamailio still runs',
  );
});
