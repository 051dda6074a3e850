// What the page itself says, in Chinese and English.

const isChinese = /^zh/i.test(navigator.language);
export const language = isChinese ? 'zh' : 'en';

const WORDS = {
	add: ['加入房间', 'Join a room'],
	cancel: ['取消', 'Cancel'],
	gap: ['这里可能缺少一些消息', 'Some messages may be missing here'],
	here: ['{} 人在线', '{} here'],
	joined: ['加入', 'joined'],
	jump: ['回到最新消息', 'To the latest'],
	kept: ['对方不在线，消息已留言', 'They are away, the message was kept'],
	known_as: ['改名为', 'is now'],
	latest: ['新消息', 'New'],
	leave: ['离开', 'Leave'],
	left: ['离开', 'left'],
	messages: ['消息', 'Messages'],
	name: ['名字', 'Name'],
	notice: ['公告', 'Notice'],
	offline: ['下线', 'went offline'],
	online: ['上线', 'came online'],
	others: ['其他房间', 'Other rooms'],
	password: ['密码（登录账号时填写）', 'Password, if the name is an account'],
	people: ['在线用户', 'People here'],
	private: ['私聊', 'Private messages'],
	quit: ['退出聊天', 'Leave the chat'],
	reconnect: ['重新连接', 'Connect again'],
	reconnecting: ['连接已断开，正在重连…', 'Connection lost, reconnecting…'],
	rooms: ['房间', 'Rooms'],
	save: ['确定', 'OK'],
	secret: ['没有发送：这看起来像密码或令牌', 'Not sent: this looks like a password or a token'],
	send: ['发送', 'Send'],
	setTopic: ['设置主题', 'Set a topic'],
	skip: ['跳到输入框', 'Skip to the message box'],
	token: ['或者用令牌登录', 'Or a token alone'],
	topic: ['把主题改为', 'set the topic:'],
	unread: [' 条未读', ' unread'],
	user: ['名字与登录', 'Name and login'],
	write: ['发消息到 {}', 'Message {}'],
	you: ['你', 'you'],
};

export const say = (key, value) => WORDS[key][isChinese ? 0 : 1].replace('{}', () => value);

export function translate() {
	document.documentElement.lang = isChinese ? 'zh-CN' : 'en';
	for (const it of document.querySelectorAll('[data-say]')) it.textContent = say(it.dataset.say);
	for (const it of document.querySelectorAll('[data-label]')) it.ariaLabel = it.title = it.placeholder = say(it.dataset.label);
}
