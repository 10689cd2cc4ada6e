/**
 * Routes of Kamailio, the SIP proxy of Voice Connectors: what it does with each SIP message. `kamailio-config.ts` adds addresses and modules.
 *
 * Source: `../shared/spec/sip.md` §5 to §9, and the documentation of the modules of Kamailio 5.6.
 */

/** Networks of the operator that the routes name. */
export interface SipNetworks {
  /** Networks to which a request inside a call may go, although they are private: customers' networks, carriers and gateways. */
  readonly privateNetworks: readonly string[];
  /** Networks of carriers, which the limit of requests does not apply to. */
  readonly carrierNetworks: readonly string[];
}

/** Longest SIP message. */
export const MESSAGE_MAX_BYTES = 8_192;
/**
 * Seconds after which the proxy closes a connection without messages: before and after its party has proven that it may use the proxy. So a
 * stranger cannot hold connections for long.
 */
export const UNPROVEN_CONNECTION_SECONDS = 15;
const CONNECTION_SECONDS = 600;
/** Longest time that an INVITE waits for its decision. */
const DECISION_MAX_MS = 4_000;
/** Seconds after which a waiting request is not sent to the server any more, because its sender already has a response. */
const DECISION_STALE_SECONDS = DECISION_MAX_MS / 1_000;
/** Failures without a decision between them after which the server counts as down. One slow decision says nothing about the others. */
const FAILURES_OF_DOWN = 3;
/**
 * Seconds in which no request tries the server that is down: after a failure, and while a request tries it. The second one is longer than the limit of
 * a request to the server (`connection_timeout`).
 */
const DOWN_SECONDS = 2;
const TRIAL_SECONDS = 3;
/** Time for which a response that is not repeated waits for its ACK. It is shorter than the timer T1 of RFC 3261, 500 ms. */
const ONCE_MS = 300;
/** Records that the proxy reads from its database at once. */
const RECORDS_OF_QUERY = 100;
/** Attempts to delete them, 2 ms apart, while other processes write. */
const DELETION_TRIES = 100;
/** Largest body that the decision listener accepts. */
const QUERY_MAX_BYTES = 16_000;

/** Networks that no request inside a call goes to, unless the operator allows it. Source: RFC 6890. */
const PRIVATE_NETWORKS =
  '0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,192.0.0.0/24,192.168.0.0/16,198.18.0.0/15,224.0.0.0/3';

/** Returns the routes. */
export function kamailioRoutes(networks: SipNetworks): string {
  return [requests(networks), DECISIONS, RELAYING, calls(networks), RECORDS].join('\n');
}

/** Checks that need no decision, and requests that belong to no call. */
function requests({ carrierNetworks }: SipNetworks): string {
  const isCarrier = carrierNetworks.length === 0 ? '' : `!is_in_subnet("$si", "${carrierNetworks.join(',')}") && `;
  return String.raw`
request_route {
  $var(c) = 0;
  if ($ml > ${MESSAGE_MAX_BYTES}) { $var(c) = 513; $var(r) = "Message Too Large"; }
  else if (!mf_process_maxfwd_header("70")) { $var(c) = 483; $var(r) = "Too Many Hops"; }
  else if (!sanity_check("5607", "15")) { $var(c) = 400; $var(r) = "Bad Request"; }
  else {
    force_rport();
    if (has_totag() && is_known_dlg()) { route(IN_CALL); exit; }
    if (is_method("ACK")) { t_check_trans(); exit; }
  }
  # Refused requests count too. Otherwise a flood of them would get as many responses.
  if (${isCarrier}!pike_check_req()) { exit; }
  if ($var(c) != 0) {
    if (!is_method("ACK")) { sl_send_reply("$var(c)", "$var(r)"); }
    exit;
  }
  if (has_totag()) { sl_send_reply("481", "Call/Transaction Does Not Exist"); exit; }
  if (is_method("CANCEL")) {
    if (!t_check_trans()) { sl_send_reply("481", "Call/Transaction Does Not Exist"); exit; }
    t_relay_cancel();
    exit;
  }
  if (!is_method("INVITE|OPTIONS")) {
    append_to_reply("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n");
    sl_send_reply("405", "Method Not Allowed");
    exit;
  }
  t_check_trans();
  # While the server is down, few requests try it. The others get one response, without a transaction that would repeat it.
  if ($shv(until) > $Ts) {
    append_to_reply("Retry-After: 5\r\n");
    sl_send_reply("503", "Service Unavailable");
    exit;
  }
  if ($shv(failures) >= ${FAILURES_OF_DOWN}) { $shv(until) = $Ts + ${TRIAL_SECONDS}; }
  if (!t_newtran()) { exit; }
  if (is_method("INVITE")) { t_reply("100", "Trying"); }
  route(QUERY);
  t_set_fr(0, ${DECISION_MAX_MS});
  t_on_failure("UNDECIDED");
  if (!t_suspend()) { t_reply("500", "Server Internal Error"); exit; }
  # The queue of the processes is short. They take requests of the overflow after each decision.
  if (!async_task_data("DECIDE", "$Ts$var(q)")) { mq_add("overflow", "$ci", "$Ts$var(q)"); }
  exit;
}

# Builds the query. Text that is not UTF-8 makes a function fail.
route[QUERY] {
  $var(q) = "{}";
  if (jansson_set("integer", "i", $T(id_index), "$var(q)")
      && jansson_set("integer", "l", $T(id_label), "$var(q)")
      && jansson_set("integer", "port", $sp, "$var(q)")
      && jansson_set("string", "m", "$rm", "$var(q)")
      && jansson_set("string", "src", "$si", "$var(q)")
      && jansson_set("string", "proto", "$proto", "$var(q)")
      && jansson_set("string", "ru", "$ru", "$var(q)")
      && jansson_set("string", "fu", "$fu", "$var(q)")
      && jansson_set("string", "tu", "$tu", "$var(q)")
      && jansson_set("string", "ci", "$ci", "$var(q)")
      && ($hdr(Proxy-Authorization) == $null || jansson_set("string", "auth", "$hdr(Proxy-Authorization)", "$var(q)"))
      && ($hdr(P-Asserted-Identity) == $null || jansson_set("string", "pai", "$hdr(P-Asserted-Identity)", "$var(q)"))
      && $(var(q){s.len}) <= ${QUERY_MAX_BYTES}) {
    return;
  }
  t_reply("400", "Bad Request");
  exit;
}

# Keeps a connection, because its party has sent a request that is allowed, or a response that was expected.
route[KEEP_CONNECTION] {
  if ($proto != "udp") { tcp_set_connection_lifetime("${CONNECTION_SECONDS}"); }
}

# Responses without a transaction would go to the address in their Via header.
reply_route {
  if (!t_check_trans()) { drop; }
  route(KEEP_CONNECTION);
}
`;
}

/** The decision of the server, in processes that may wait. */
const DECISIONS = String.raw`
# The transaction is not locked here, so that a CANCEL does not wait for the server.
route[DECIDE] {
  $var(task) = $async(data);
  route(DECIDE_ONE);
  while (mq_fetch("overflow")) {
    $var(task) = $mqv(overflow);
    mq_pv_free("overflow");
    route(DECIDE_ONE);
  }
}

route[DECIDE_ONE] {
  $var(age) = $Ts - $(var(task){s.substr,0,10}{s.int});
  if ($var(age) >= ${DECISION_STALE_SECONDS}) { return; }
  $var(q) = $(var(task){s.substr,10,0});
  $var(i) = 0; $var(l) = 0;
  jansson_get("i", $var(q), "$var(i)");
  jansson_get("l", $var(q), "$var(l)");
  $var(m) = "";
  $var(a) = "down";
  $var(rc) = http_connect("belfry", "/decide", "application/json", "$var(q)", "$var(m)");
  # Numbers below 100 are errors of the connection.
  if ($var(rc) < 100) {
    $shv(failures) = $shv(failures) + 1;
    if ($shv(failures) >= ${FAILURES_OF_DOWN}) { $shv(until) = $Ts + ${DOWN_SECONDS}; }
  } else if ($shv(failures) > 0) {
    $shv(failures) = 0;
    $shv(until) = 0;
  }
  if ($var(rc) == 200) { jansson_get("a", $var(m), "$var(a)"); }
  t_continue("$var(i)", "$var(l)", "DECIDED");
}

failure_route[UNDECIDED] {
  if (t_is_canceled()) { exit; }
  route(UNAVAILABLE);
}

route[UNAVAILABLE] {
  append_to_reply("Retry-After: 5\r\n");
  t_reply("503", "Service Unavailable");
  exit;
}

# Variables of DECIDE_ONE are visible here, because the same process runs both.
route[DECIDED] {
  t_on_failure("0");
  if ($var(a) != "reply" && $var(a) != "relay") { route(UNAVAILABLE); }
  $var(h) = "";
  jansson_get("h", $var(m), "$var(h)");
  if ($var(a) == "reply") {
    $var(c) = 500; $var(r) = "Server Internal Error";
    jansson_get("c", $var(m), "$var(c)");
    jansson_get("r", $var(m), "$var(r)");
    if ($var(h) != "") { append_to_reply("$var(h)"); }
    if ($var(c) == 200) { route(KEEP_CONNECTION); }
    # A response is repeated after 500 ms, until the transaction ends. One that is sent once ends before.
    $var(o) = 0;
    jansson_get("o", $var(m), "$var(o)");
    if ($var(o) == 1) { t_set_fr(0, ${ONCE_MS}); }
    t_reply("$var(c)", "$var(r)");
    exit;
  }
  $var(tx) = ""; $var(fr) = 1500; $var(n) = 0;
  jansson_get("tx", $var(m), "$var(tx)");
  jansson_get("fr", $var(m), "$var(fr)");
  if (!jansson_array_size("t", $var(m), "$var(n)") || $var(n) == 0 || $var(tx) == "" || !dlg_manage()) { route(UNAVAILABLE); }
  route(KEEP_CONNECTION);
  $dlg_ctx(timeout_bye) = 1;
  $dlg_var(tx) = $var(tx);
  $dlg_var(si) = $si;
  $avp(fr) = $var(fr);
  $avp(h) = $var(h);
  # The newest value of an AVP is taken first.
  while ($var(n) > 0) {
    $var(n) = $var(n) - 1;
    $var(u) = "";
    jansson_get("t[$var(n)]", $var(m), "$var(u)");
    if ($var(u) != "") { $avp(t) = $var(u); }
  }
  route(NEXT);
}
`;

/** Targets in order, with fail-over. */
const RELAYING = String.raw`
route[NEXT] {
  while ($avp(t) != $null) {
    $var(u) = $avp(t);
    $avp(t) = $null;
    $ru = $(var(u){s.select,0,|});
    $du = $(var(u){s.select,1,|});
    $dlg_var(di) = $(var(u){s.select,1,|}{uri.host});
    $dlg_var(vc) = $(var(u){s.select,2,|});
    t_on_failure("FAILOVER");
    t_on_branch("OUT");
    t_on_reply("RINGING");
    t_set_fr(120000, $avp(fr));
    if (t_relay()) { exit; }
  }
  $dlg_var(code) = "503";
  t_reply("503", "Service Unavailable");
  exit;
}

# Changes of the request must be in a branch route: before a suspension they are lost for the second target.
branch_route[OUT] {
  record_route();
  remove_hf("Proxy-Authorization");
  remove_hf("P-Asserted-Identity");
  remove_hf("X-VoiceConnector-ID");
  if ($avp(h) != $null && $avp(h) != "") { append_hf("$avp(h)"); }
  append_hf("X-VoiceConnector-ID: $dlg_var(vc)\r\n");
}

onreply_route[RINGING] {
  if (t_check_status("18[0-9]")) { $avp(rung) = 1; }
}

failure_route[FAILOVER] {
  $dlg_var(code) = $T_reply_code;
  if (t_is_canceled()) { exit; }
  if (t_check_status("408|5[0-9][0-9]") && $avp(rung) == $null && $avp(t) != $null) { route(NEXT); }
}
`;

/** Requests inside a call. They do not need the server. */
function calls({ privateNetworks }: SipNetworks): string {
  const isAllowed = privateNetworks.length === 0 ? '' : ` && !is_in_subnet("$nh(d)", "${privateNetworks.join(',')}")`;
  return String.raw`
route[IN_CALL] {
  if (!is_method("ACK|BYE|CANCEL|INVITE|UPDATE|INFO|PRACK|REFER|NOTIFY|OPTIONS")) {
    append_to_reply("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK, REFER, NOTIFY\r\n");
    sl_send_reply("405", "Method Not Allowed");
    exit;
  }
  if (is_method("CANCEL")) {
    if (t_check_trans()) { t_relay_cancel(); }
    exit;
  }
  if (!loose_route()) {
    # An ACK for an error response of the proxy.
    if (is_method("ACK")) { t_check_trans(); exit; }
    sl_send_reply("481", "Call/Transaction Does Not Exist");
    exit;
  }
  # Route and Contact headers name the next address. Only its parties may make it private.
  if (!is_ipv4("$nh(d)")
      || ($nh(d) != $dlg_var(si) && $nh(d) != $dlg_var(di)
          && is_in_subnet("$nh(d)", "${PRIVATE_NETWORKS}")${isAllowed})) {
    if (!is_method("ACK")) { sl_send_reply("403", "Forbidden"); }
    exit;
  }
  route(KEEP_CONNECTION);
  t_on_branch("IN_CALL_OUT");
  if (!is_method("ACK") && !t_check_trans()) { t_relay(); exit; }
  t_relay();
}

branch_route[IN_CALL_OUT] {
  remove_hf("Proxy-Authorization");
  remove_hf("P-Asserted-Identity");
}
`;
}

/**
 * Records of calls. The server has the other facts since its decision. A record is a row before the BYE is relayed, so that a kill of Kamailio does not
 * lose it. SQLite refuses a write while another process writes. Then the record waits in memory for at most a second. The rows have a file of their
 * own, because a refused deletion of a dialog would leave a call that has ended. The values contain no quotes: the server chose the IDs, and the rest
 * are numbers.
 */
const RECORDS = String.raw`
event_route[dialog:start] {
  $dlg_var(answered) = $(TV(Sn){s.substr,0,10}) + $(TV(Sn){s.substr,11,3});
}

event_route[dialog:end] {
  $var(code) = 200;
  route(KEEP_RECORD);
}

event_route[dialog:failed] {
  $var(code) = 487;
  if ($dlg_var(code) != $null) { $var(code) = $(dlg_var(code){s.int}); }
  route(KEEP_RECORD);
}

route[KEEP_RECORD] {
  if ($dlg_var(tx) == $null) { return; }
  $var(record) = "{}";
  $var(ended) = $(TV(Sn){s.substr,0,10}) + $(TV(Sn){s.substr,11,3});
  jansson_set("string", "tx", "$dlg_var(tx)", "$var(record)");
  jansson_set("integer", "code", "$var(code)", "$var(record)");
  if ($dlg_var(vc) != $null) { jansson_set("string", "vc", "$dlg_var(vc)", "$var(record)"); }
  if ($dlg_var(answered) != $null) { jansson_set("integer", "answered", "$dlg_var(answered)", "$var(record)"); }
  jansson_set("integer", "ended", "$var(ended)", "$var(record)");
  $var(tx) = $dlg_var(tx);
  route(STORE_RECORD);
}

route[STORE_RECORD] {
  if (!sql_query("records", "INSERT INTO records (key, val) VALUES ('$var(tx)', '$var(record)')")) {
    mq_add("records", "$var(tx)", "$var(record)");
  }
}

# Returns -1 if the server does not answer.
route[POST_RECORD] {
  $var(answer) = "";
  $var(rc) = http_connect("belfry", "/record", "application/json", "$var(record)", "$var(answer)");
  # 400 means that the server will never accept the record.
  if ($var(rc) == 400) {
    xlog("L_CRIT", "the server refused the record of call $var(tx)\n");
  } else if ($var(rc) < 200 || $var(rc) > 299) {
    return(-1);
  }
  return(1);
}

route[POST_RECORDS] {
  while (mq_fetch("records")) {
    $var(tx) = $mqk(records);
    $var(record) = $mqv(records);
    mq_pv_free("records");
    route(POST_RECORD);
    if ($rc < 0) {
      route(STORE_RECORD);
      return;
    }
  }
  $var(more) = 1;
  while ($var(more) == 1) {
    if (!sql_query("records", "SELECT id, key, val FROM records ORDER BY id LIMIT ${RECORDS_OF_QUERY}", "records")) { return; }
    $var(rows) = $dbr(records=>rows);
    $var(row) = 0;
    $var(last) = 0;
    while ($var(row) < $var(rows)) {
      $var(tx) = $dbr(records=>[$var(row),1]);
      $var(record) = $dbr(records=>[$var(row),2]);
      route(POST_RECORD);
      if ($rc < 0) { break; }
      $var(last) = $dbr(records=>[$var(row),0]);
      $var(row) = $var(row) + 1;
    }
    sql_result_free("records");
    if ($var(row) < ${RECORDS_OF_QUERY}) { $var(more) = 0; }
    # New rows have a higher ID than the existing ones. A record that stays is sent again, and the server ignores it.
    $var(tries) = ${DELETION_TRIES};
    while ($var(row) > 0 && $var(tries) > 0) {
      if (sql_query("records", "DELETE FROM records WHERE id <= $var(last)")) { $var(row) = 0; }
      else {
        usleep("2000");
        $var(tries) = $var(tries) - 1;
        if ($var(tries) == 0) { return; }
      }
    }
  }
}
`;
