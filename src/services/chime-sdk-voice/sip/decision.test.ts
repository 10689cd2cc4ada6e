import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { DEFAULT_VOICE_LIMITS } from '../../chime-kit/voice-limits.ts';
import { countryOfNumber } from './countries-of-numbers.ts';
import { type DecisionTools, decide, parseRequest, type SipConnector, type SipRequest, type SipState } from './decision.ts';

const ID = 'abcdefghijklmnopqrst12';
const HOST = `${ID}.voiceconnector.chime.aws`;
const OWN = '+12065550100';
const OTHER = '+12065550101';

const CONNECTOR: SipConnector = {
  accountId: '111122223333' as AccountId,
  ...{ region: 'us-east-1', awsRegion: 'us-east-1', id: ID, hostName: HOST, requireEncryption: false, credentials: [], logsSip: false },
  termination: { CallingRegions: ['US'], CidrAllowedList: ['192.0.2.0/28'], CpsLimit: 1, Disabled: false },
};
const ENCRYPTED = { ...CONNECTOR, requireEncryption: true };
const WITH_USERS = { ...CONNECTOR, credentials: [{ Username: 'ada', sealedPassword: '' }] };
const terminated = (more: object) => ({ ...CONNECTOR, termination: { ...CONNECTOR.termination, ...more } });
const GATEWAY = { host: 'sip.example.com', port: 5060, transport: 'udp' as const };
const ROUTE = { Host: '192.0.2.9', Port: 5080, Protocol: 'UDP' as const, Priority: 1, Weight: 1 };
const DESTINATION = {
  members: [{ connector: { ...CONNECTOR, id: 'other', origination: { Routes: [ROUTE], Disabled: false } }, priority: 1 }],
  isLoadBalanced: false,
};
const UNROUTED = { ...DESTINATION, members: [{ connector: CONNECTOR, priority: 1 }] };

const INVITE: SipRequest = {
  ...{ m: 'INVITE', i: 1, l: 2, src: '192.0.2.1', port: 5060, proto: 'udp', ci: 'call-1', tu: `sip:${OTHER}@${HOST}` },
  ru: `sip:${OTHER}@${HOST};transport=udp`,
  fu: `sip:${OWN}@pbx.example.com`,
};
const to = (user: string) => ({ ru: `sip:${user}@${HOST}` });
const STATE: SipState = { isCarrier: false, connector: CONNECTOR, callerConnectorId: ID, hasRule: false, gateways: [GATEWAY] };

type Tools = Partial<DecisionTools>;

function decisionOf(request: Partial<SipRequest>, state: Partial<SipState> = {}, tools: Tools = {}, hidesConnectors = false): string {
  const parsed = parseRequest({ ...INVITE, ...request });
  if (parsed === undefined) return '400';
  const outcome = decide(
    parsed,
    { ...STATE, ...state },
    {
      random: () => 0.5,
      checkDigest: () => assert.fail('the connector has no credentials'),
      challenge: (_, isStale) => (isStale ? 'stale\r\n' : 'fresh\r\n'),
      takeCall: () => true,
      ...tools,
    },
    { hidesConnectors, limits: DEFAULT_VOICE_LIMITS },
  );
  switch (outcome.kind) {
    case 'pong':
      return `200 for ${outcome.connector?.id === ID ? 'the connector' : 'a carrier'}`;
    case 'relay':
      return `${outcome.call.direction} to ${outcome.routes.map(({ host, port, transport }) => `${host}:${port}/${transport}`).join(' ')}`;
    case 'reply':
      // Only rejected calls of an allowed source have a connector, so only these are recorded.
      return `${outcome.code} ${outcome.reason}${outcome.connector === undefined ? '' : ', recorded'}`;
  }
}

const NO_CONNECTOR = { connector: undefined } as unknown as Partial<SipState>;
const CARRIER = 'Outbound to sip.example.com:5060/udp';

// biome-ignore format: a table
const CASES: readonly (readonly [title: string, request: Partial<SipRequest>, state: Partial<SipState>, tools: Tools, expected: string])[] = [
  // step 1
  ['a Request-URI without a host',          { ru: 'sip:' },                          {}, {}, '400'],
  ['another scheme',                        { ru: 'tel:+12065550101' },              {}, {}, '400'],
  ['a quote in From',                       { fu: 'sip:"a"@pbx.example.com' },       {}, {}, '400'],
  ['a line break in From',                  { fu: `sip:${OWN}\r\nX: 1@example.com` },   {}, {}, '400'],
  ['a control character in Call-ID',        { ci: 'a\u0000b' },                      {}, {}, '400'],
  ['a member with another type',            { ru: 7 as unknown as string },          {}, {}, '400'],
  ['an unknown transport',                  { proto: 'sctp' },                       {}, {}, '400'],
  ['a very long URI',                       { ru: `sip:${'1'.repeat(3_000)}@${HOST}` }, {}, {}, '400'],
  // step 2
  ['REGISTER',                              { m: 'REGISTER' },                       {}, {}, '405 Method Not Allowed'],
  ['REFER outside a dialog',                { m: 'REFER' },                          {}, {}, '405 Method Not Allowed'],
  ['BYE outside a dialog',                  { m: 'BYE' },                            {}, {}, '481 Call/Transaction Does Not Exist'],
  // step 3
  ['a carrier calls a number',              {}, { isCarrier: true, destination: DESTINATION }, {}, 'Inbound to 192.0.2.9:5080/udp'],
  ['a carrier calls an unknown number',     {}, { isCarrier: true, ...NO_CONNECTOR },          {}, '404 Not Found'],
  ['a carrier calls, without routes',       {}, { isCarrier: true, destination: UNROUTED },    {}, '480 Temporarily Unavailable, recorded'],
  ['a carrier calls a deleted connector',   {}, { isCarrier: true, destination: { ...UNROUTED, members: [] } }, {}, '480 Temporarily Unavailable'],
  // step 4
  ['an unknown connector',                  {}, NO_CONNECTOR,                                  {}, '404 Not Found'],
  // step 5
  ['no termination',                        {}, { connector: { ...CONNECTOR, termination: undefined } as unknown as SipConnector }, {}, '403 Forbidden'],
  ['a disabled termination',                {}, { connector: terminated({ Disabled: true }) },         {}, '403 Forbidden'],
  ['an empty list of ranges',               {}, { connector: terminated({ CidrAllowedList: [] }) },    {}, '403 Forbidden'],
  ['a source outside the ranges',           { src: '192.0.2.16' },                   {}, {}, '403 Forbidden'],
  ['a source that is not an address',       { src: 'localhost' },                    {}, {}, '403 Forbidden'],
  ['an IPv6 source',                        { src: '::1' },                          {}, {}, '403 Forbidden'],
  // step 6
  ['an encrypted connector over UDP',       {}, { connector: ENCRYPTED },                      {}, '403 Forbidden'],
  ['an encrypted connector over TLS',       { proto: 'TLS' }, { connector: ENCRYPTED },        {}, CARRIER],
  // step 7, before steps 8 to 11
  ['no credentials',                        to('911'), { connector: WITH_USERS }, { checkDigest: () => ({ result: 'missing' }), takeCall: () => assert.fail('a stranger uses the limit') }, '407 Proxy Authentication Required'],
  ['wrong credentials',                     {}, { connector: WITH_USERS }, { checkDigest: () => ({ result: 'wrong' }) },            '407 Proxy Authentication Required'],
  ['right credentials',                     {}, { connector: WITH_USERS }, { checkDigest: () => ({ result: 'ok', user: 'ada' }) },  CARRIER],
  // step 8
  ['911',                                   to('911'),                               {}, {}, '503 No emergency calling, recorded'],
  ['+112',                                  to('+112'),                              {}, {}, '503 No emergency calling, recorded'],
  ['a number without a plus sign',          to('12065550101'),                       {}, {}, '484 Address Incomplete, recorded'],
  ['an international prefix',               to('0114420'),                           {}, {}, '484 Address Incomplete, recorded'],
  ['a number with 16 digits',               to('+1234567890123456'),                 {}, {}, '484 Address Incomplete, recorded'],
  ['an encoded line break in the number',   to(`${OTHER}%0d%0aX:1`),                 {}, {}, '484 Address Incomplete, recorded'],
  ['parameters of the user',                to(`${OTHER};npdi=yes`),                 {}, {}, CARRIER],
  // step 9
  ['a country that is not listed',          to('+442079460000'),                     {}, {}, '403 Forbidden, recorded'],
  ['a Canadian area code',                  to('+14165550100'),                      {}, {}, '403 Forbidden, recorded'],
  ['a number without a country',            to('+8816123456'),                       {}, {}, '403 Forbidden, recorded'],
  // step 10
  ['a number of another connector',         {}, { callerConnectorId: 'other' },      {}, `403 Caller Id ${OWN} is not valid, recorded`],
  ['an encoded line break in From',         { fu: 'sip:%0d%0aX-Evil:1@example.com' }, {}, {}, '403 Caller Id is not valid, recorded'],
  ['an encoded line break after the number', { fu: `sip:${OWN}%0d%0aX@example.com` }, {}, {}, '403 Caller Id is not valid, recorded'],
  ['DefaultPhoneNumber replaces From',      { fu: 'sip:anonymous@example.com' }, { connector: terminated({ DefaultPhoneNumber: OWN }) }, {}, CARRIER],
  // step 11
  ['more calls than CpsLimit',              {}, {}, { takeCall: () => false }, '503 Service Unavailable, recorded'],
  // step 12
  ['a number of this installation',         {}, { destination: DESTINATION },        {}, 'Outbound to 192.0.2.9:5080/udp'],
  ['no usable route',                       {}, { destination: UNROUTED },           {}, '480 Temporarily Unavailable, recorded'],
  ['no carrier',                            {}, { gateways: [] },                    {}, '503 No carrier, recorded'],
  ['a number with another owner, no carrier', {}, { gateways: [], destination: DESTINATION }, {}, 'Outbound to 192.0.2.9:5080/udp'],
  // step 13
  ['a SIP rule',                            {}, { hasRule: true },                   {}, '480 Temporarily Unavailable, recorded'],
  // OPTIONS
  ['OPTIONS',                               { m: 'OPTIONS' }, {},                                     {}, '200 for the connector'],
  ['OPTIONS of a stranger',                 { m: 'OPTIONS', src: '198.51.100.1' }, {},                {}, '403 Forbidden'],
  ['OPTIONS to an unknown connector',       { m: 'OPTIONS' }, NO_CONNECTOR,                           {}, '403 Forbidden'],
  ['OPTIONS of a carrier',                  { m: 'OPTIONS' }, { isCarrier: true, ...NO_CONNECTOR },   {}, '200 for a carrier'],
];

for (const [title, request, state, tools, expected] of CASES) {
  test(`SIP decision: ${title}`, () => assert.equal(decisionOf(request, state, tools), expected));
}

test('SIP decision: the lower one of CpsLimit and the setting limits the calls', () => {
  const parsed = parseRequest(INVITE);
  assert.ok(parsed);
  const limitOf = (CpsLimit: number, callsPerSecond: number) => {
    const limits: number[] = [];
    const termination = { ...CONNECTOR.termination, CpsLimit };
    const tools = { random: () => 0, checkDigest: () => assert.fail(), challenge: () => '' };
    const takeCall = (_: SipConnector, limit: number) => limits.push(limit) > 0;
    const state = { ...STATE, connector: { ...CONNECTOR, termination } };
    decide(parsed, state, { ...tools, takeCall }, { hidesConnectors: false, limits: { ...DEFAULT_VOICE_LIMITS, callsPerSecond } });
    return limits;
  };
  assert.deepEqual([limitOf(5, 2), limitOf(2, 5), limitOf(5, 5)], [[2], [2], [5]]);
});

test('SIP decision: a setting hides which connectors exist', () => {
  assert.equal(decisionOf({}, NO_CONNECTOR, {}, true), '403 Forbidden');
});

test('SIP decision: headers contain only validated values', () => {
  const parsed = parseRequest({ ...INVITE, pai: 'sip:+15005550006@evil.example', fu: `sip:${OWN};x=%0d%0aX@evil.example` });
  assert.ok(parsed);
  const tools = { random: () => 0, checkDigest: () => assert.fail(), challenge: () => '', takeCall: () => true };
  const outcome = decide(parsed, STATE, tools, { hidesConnectors: false, limits: DEFAULT_VOICE_LIMITS });
  assert.ok(outcome.kind === 'relay');
  assert.equal(outcome.headers, `P-Asserted-Identity: <sip:${OWN}@${HOST}>\r\n`);
});

// biome-ignore format: a table
const COUNTRIES: readonly (readonly [number: string, country: string | undefined])[] = [
  ['+12065550100', 'US'], ['+14165550100', 'CA'], ['+18765550100', 'JM'], ['+17875550100', 'PR'], ['+19005550100', undefined],
  ['+442079460000', 'GB'], ['+441534555010', 'JE'], ['+74951234567', 'RU'], ['+77171234567', 'KZ'], ['+390669812345', 'VA'],
  ['+3906123', 'IT'], ['+8816123456', undefined], ['+99', undefined],
];

test('Countries of numbers: the longest prefix decides', () => {
  for (const [number, country] of COUNTRIES) assert.equal(countryOfNumber(number), country, number);
});
