// How texts, names and times are shown. What users say becomes text nodes and http links, never markup.

import { language } from './words.js';

/** As in src/protocol/line/escape.rs. */
const HIDDEN = '\\0-\\x08\\n-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069';
// A link ends at full-width punctuation, and before what ends a sentence.
const PARTS = new RegExp(`(https?://[^\\s<>"'\`\\u3000-\\u303f\\uff00-\\uff5e${HIDDEN}]+(?<![.,:;!?)\\]}*]))|[${HIDDEN}]`, 'gi');

const escape = (c) => `\\u{${c.codePointAt().toString(16)}}`;
export const escaped = (text) => text.replace(new RegExp(`[${HIDDEN}]`, 'g'), escape);

export function make(tag, classes, ...content) {
	const it = document.createElement(tag);
	if (classes) it.className = classes;
	it.append(...content);
	return it;
}

/** A name in a colour of its own, which cannot change the order of what stands around it. */
export function nameOf(name) {
	const it = make('bdi', 'name', escaped(name));
	let hash = 0;
	for (const c of name) hash = (hash * 31 + c.codePointAt()) % 9973;
	it.style.setProperty('--hue', hash % 360);
	return it;
}

export function textOf(text) {
	const it = make('div', 'text');
	it.dir = 'auto';
	let done = 0;
	for (const { 0: found, 1: href, index } of text.matchAll(PARTS)) {
		it.append(text.slice(done, index), make(href ? 'a' : 'code', '', href ?? escape(found)));
		if (href) Object.assign(it.lastChild, { href, target: '_blank', rel: 'noopener noreferrer' });
		done = index + found.length;
	}
	it.append(text.slice(done));
	return it;
}

/** Whether `name` is a word of `text`, in whatever case. Chinese does not separate words. */
export function mentions(text, name) {
	const word = name.replace(/[^\w\u0080-\uffff]/g, '\\$&');
	const [before, after] = [name[0], name.at(-1)].map((c) => (/\w/.test(c) ? '\\b' : ''));
	return new RegExp(before + word + after, 'i').test(text);
}

const locale = navigator.language.startsWith(language) ? navigator.language : language;
const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
const date = new Intl.DateTimeFormat(locale, { dateStyle: 'full' });
export const dayOf = (at) => date.format(at);
export const timeOf = (at) => Object.assign(make('time', '', clock.format(at)), { title: date.format(at) });
