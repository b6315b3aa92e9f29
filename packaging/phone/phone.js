// SPDX-License-Identifier: Apache-2.0
/*
 * phone.js - a telephone in a page.
 *
 * Events tell what the line does; requests tell what the person does, one after
 * the other, so that keys arrive in their order.  Sound goes through WebAudio,
 * which the click on Answer lets speak.  Times are the page's own clock, not the
 * sound card's: without one, captions and keys work just as well.
 */
"use strict";

const TICK_MS = 50;
const DIGITS_MAX = 12; // with blanks: what a line of 320 pixels holds
const AGAIN_MS = [500, 1000, 2000, 5000];
const WHY = {
  hung_up: "You hung up.",
  we_hung_up: "The caller hung up.",
  declined: "You declined the call.",
  no_answer: "You missed a call.",
  answered: "The call was answered on another page.",
  lost: "The call was lost.",
};
const WAITING = "Waiting for a call.";
const NO_SESSION =
  "This browser is not the phone yet. Open the link that the server printed " +
  "when it started, or the newest one in its output: each link works once.";
const TOO_MANY =
  "Too many pages are open. Close one of them, then load this page again.";

const at = (id) => document.getElementById(id);

let page = "";            // our name in requests, from the `ready` event
let events = null;        // the EventSource
let attempts = 0;         // of connecting, since it last worked
const ringing = new Map(); // calls that ring here: id -> caller
let call = null;          // the call that we are in: { id, began }
let sound = null;         // what plays, or was the last to play
let audio = null;         // AudioContext, from the first click on
let ringer = 0;
let line = Promise.resolve(); // requests wait for each other here

/* --- what is shown ------------------------------------------------------- */

function show(state, status) {
  at("phone").dataset.state = state;
  at("idle").hidden = state !== "idle";
  at("trouble").hidden = state !== "trouble";
  at("incoming").hidden = state !== "incoming";
  at("call").hidden = state !== "call" && state !== "over";
  at("controls").hidden = state !== "call";
  at("status").textContent = status;
  document.title = state === "incoming" ? "Incoming call" :
    state === "call" ? "In a call" : "Phone";
}

function showTrouble(text) {
  if (call) endCall("lost");
  at("trouble-text").textContent = text;
  show("trouble", "This phone is not connected.");
}

// "+15671234567" -> "+1 567 123 4567"; others are left as they are.
function readable(number) {
  const m = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);

  return m ? `+1 ${m[1]} ${m[2]} ${m[3]}` : number;
}

/* Nobody is at work there: the focus may be moved. */
function isFree(element) {
  return [document.body, at("phone"), at("call")].includes(element);
}

/* The state that follows from what there is, with a word on what was. */
function settle(was) {
  const [first] = ringing;

  stopRinging();
  if (call) return;
  if (first) {
    at("caller").textContent = readable(first[1]);
    show("incoming", `Incoming call from ${readable(first[1])}`);
    startRinging();
    if (isFree(document.activeElement)) at("answer").focus();
  } else if (at("captions").childElementCount > 0) {
    show("over", was || WAITING);
  } else {
    show("idle", was || WAITING);
  }
}

/* --- requests ------------------------------------------------------------- */

function post(path, body, more) {
  return fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    ...more,
  });
}

/* Tell what was done to a call; the answer comes when its turn has come. */
function tell(id, act, more) {
  const sent = line.then(() =>
    post(`/phone/calls/${id}/${act}`, { page, ...more }));

  line = sent.catch(() => {});
  return sent;
}

/* --- sound ------------------------------------------------------------------ */

function wakeAudio() {
  audio = audio || new AudioContext();
  // not awaited: without a sound card it may never happen
  audio.resume().catch(() => {});
}

function beep(hertz, seconds, volume) {
  if (!audio || audio.state !== "running") return;
  const gain = audio.createGain();

  gain.gain.value = volume;
  gain.connect(audio.destination);
  for (const f of hertz) {
    const o = audio.createOscillator();

    o.frequency.value = f;
    o.connect(gain);
    o.start();
    o.stop(audio.currentTime + seconds);
  }
}

function startRinging() {
  const ring = () => beep([440, 480], 1.5, 0.06);

  ring();
  ringer = setInterval(ring, 4000);
}

function stopRinging() {
  clearInterval(ringer);
  ringer = 0;
}

function keyBeep(key) {
  const i = "123456789*0#".indexOf(key);

  beep([[697, 770, 852, 941][Math.floor(i / 3)], [1209, 1336, 1477][i % 3]],
    0.1, 0.05);
}

/* How much of a sound has been played, by our clock. */
function playedMs(s) {
  if (s.stopped !== null) return s.stopped;
  if (s.began === null) return s.from;
  return Math.min(s.ms, Math.round(performance.now() - s.began + s.from));
}

function stopSound() {
  const s = sound;

  if (!s || s.stopped !== null) return;
  s.stopped = playedMs(s);
  clearInterval(s.ticker);
  s.abort.abort();
  if (s.source) s.source.stop();
}

async function loadSound(s) {
  const answer = await fetch(
    `/phone/calls/${call.id}/sound/${s.play}?page=${page}`,
    { signal: s.abort.signal });

  if (!answer.ok || !audio) return null;
  return audio.decodeAudioData(await answer.arrayBuffer());
}

async function startSound(s) {
  let wave = null;

  try {
    wave = await loadSound(s);
  } catch { /* then there are captions */ }
  if (s !== sound || s.stopped !== null) return;
  if (s.from > 0) s.from += performance.now() - s.told;
  if (wave && s.from < s.ms) {
    s.source = audio.createBufferSource();
    s.source.buffer = wave;
    s.source.connect(audio.destination);
    s.source.start(0, s.from / 1000);
  }
  s.began = performance.now();
  s.ticker = setInterval(tick, TICK_MS, s);
  tick(s);
}

function tick(s) {
  const ms = playedMs(s);

  while (s.captions.length > 0 && s.captions[0][0] <= ms)
    addCaption(s, s.captions.shift()[1]);
  if (ms < s.ms) return;
  s.stopped = s.ms;
  clearInterval(s.ticker);
  if (call) tell(call.id, "played", { play: s.play }).catch(() => {});
}

/* --- captions ----------------------------------------------------------------- */

/* A paragraph per sound; digits are set apart, in the groups they come in, and
 * a code is not broken over lines. */
function addCaption(s, text) {
  const box = at("captions");

  if (!s.paragraph) {
    s.paragraph = document.createElement("p");
    box.append(s.paragraph);
  }
  const last = s.paragraph.lastChild;

  if (!/^ ?\d$/.test(text)) {
    s.paragraph.append(text);
  } else if (last && last.className === "digits" &&
             last.textContent.length < DIGITS_MAX) {
    last.append(text);
  } else {
    const digits = document.createElement("span");

    digits.className = "digits";
    digits.append(text.trim());
    if (last) s.paragraph.append(" ");
    s.paragraph.append(digits);
  }
  box.scrollTop = box.scrollHeight;
}

/* --- the call ------------------------------------------------------------------- */

function showTime() {
  const s = Math.floor((performance.now() - call.began) / 1000);

  at("timer").textContent =
    `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

function beginCall(id, caller) {
  call = { id, began: performance.now(), clock: 0 };
  call.clock = setInterval(showTime, 1000);
  sound = null;
  showTime();
  at("captions").replaceChildren();
  at("peer").textContent = readable(caller);
  show("call", "In a call.");
  at("call").focus();
}

function endCall(why) {
  const inside = at("controls").contains(document.activeElement);

  stopSound();
  clearInterval(call.clock);
  at("timer").textContent = "";
  call = null;
  settle(WHY[why] || "The call has ended.");
  // the button that had the focus is gone
  if (inside && at("incoming").hidden)
    at(at("call").hidden ? "phone" : "call").focus();
}

async function answerCall() {
  const [first] = ringing;

  if (!first || call) return;
  const [id, caller] = first;

  wakeAudio();
  stopRinging();
  ringing.delete(id);
  beginCall(id, caller);
  try {
    const answer = await tell(id, "answer");

    if (answer.ok || !call || call.id !== id) return;
  } catch { /* as if it had been refused */ }
  if (call && call.id === id) endCall("lost");
}

function declineCall() {
  const [first] = ringing;

  if (!first) return;
  ringing.delete(first[0]);
  tell(first[0], "decline").catch(() => {});
  settle(WHY.declined);
}

function hangUp() {
  if (!call) return;
  // out of turn: nothing may hold this up
  post(`/phone/calls/${call.id}/hangup`, { page }, { keepalive: true })
    .catch(() => {});
  endCall("hung_up");
}

function pressKey(key) {
  const button = document.querySelector(`[data-key="${key}"]`);

  if (!call) return;
  keyBeep(key);
  button.classList.add("down");
  setTimeout(() => button.classList.remove("down"), 150);
  tell(call.id, "key", {
    key,
    play: sound ? sound.play : 0,
    at_ms: sound ? Math.floor(playedMs(sound)) : 0,
  }).catch(() => {});
}

/* --- events ---------------------------------------------------------------------- */

const handlers = {
  ready(d) {
    page = d.page;
    attempts = 0;
    at("number").textContent = readable(d.number);
    ringing.clear();
    if (call && call.id !== d.call) endCall("lost");
    else if (call) show("call", "In a call.");
    else settle();
  },
  ring(d) {
    ringing.set(d.call, d.from);
    settle();
  },
  ring_over(d) {
    if (ringing.delete(d.call)) settle(WHY[d.why]);
  },
  play(d) {
    if (!call || call.id !== d.call) return;
    if (sound && sound.play === d.play) return; // we are back and still play it
    stopSound();
    sound = {
      play: d.play, ms: d.ms, captions: d.captions,
      from: d.at_ms,     // where to begin
      told: performance.now(),
      began: null,       // when it did, by our clock
      stopped: null,     // how much had been played when it stopped
      source: null, paragraph: null, ticker: 0,
      abort: new AbortController(),
    };
    startSound(sound);
  },
  stop(d) {
    if (sound && sound.play === d.play) stopSound();
  },
  ended(d) {
    if (call && call.id === d.call) endCall(d.why);
  },
  full() {
    events.close();
    showTrouble(TOO_MANY);
  },
};

function connect() {
  if (events) events.close();
  events = new EventSource(`/phone/events${page ? `?page=${page}` : ""}`);
  for (const name of Object.keys(handlers))
    events.addEventListener(name, (e) => handlers[name](JSON.parse(e.data)));
  // its own way of trying again is slower than the line's patience
  events.onerror = () => {
    events.close();
    again("");
  };
}

function again(token) {
  const ms = AGAIN_MS[Math.min(attempts++, AGAIN_MS.length - 1)];

  at("status").textContent = "The connection was lost. Trying again.";
  setTimeout(begin, ms, token);
}

/* Become the phone with a link's token, or go on being it. */
async function begin(token) {
  let answer;

  try {
    answer = await post("/phone/session", token ? { token } : {});
  } catch {
    again(token);
    return;
  }
  if (answer.status === 204) connect();
  else if (answer.status >= 500) again(token);
  else showTrouble(NO_SESSION);
}

function beginFromAddress() {
  const token = location.hash.slice(1);

  // it is void once used, and none of the history's business
  if (token) history.replaceState(null, "", location.pathname);
  begin(token);
}

/* --- the person ------------------------------------------------------------------- */

at("answer").addEventListener("click", answerCall);
at("decline").addEventListener("click", declineCall);
at("hangup").addEventListener("click", hangUp);
at("keypad").addEventListener("click", (e) => {
  const button = e.target.closest("[data-key]");

  if (button) pressKey(button.dataset.key);
});
// on the call, not on the page: characters are no shortcuts anywhere else
at("call").addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.altKey || e.metaKey || e.repeat) return;
  if (/^[0-9*#]$/.test(e.key)) {
    e.preventDefault();
    pressKey(e.key);
  }
});
addEventListener("hashchange", beginFromAddress);
addEventListener("pagehide", hangUp);
addEventListener("pageshow", (e) => {
  if (e.persisted) location.reload();
});

beginFromAddress();
