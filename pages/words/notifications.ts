import type { NotificationBody, WebhookEndpointBody } from '../api.ts';
import type { Same } from './same.ts';

/** What operators read of the messages to the merchant's own systems. */
const en = {
  ofOrder: 'What was told of it',
  endpoints: 'Where it is sent',
  noEndpoints: 'Nothing is sent anywhere: no endpoint is registered. The API registers one.',
  endpointStatus: {
    enabled: 'On',
    disabled: 'Switched off: it answered that it is gone (410)',
  } satisfies Record<WebhookEndpointBody['status'], string>,
  allTypes: 'Everything',
  enable: 'Switch on',
  any: 'All',
  status: {
    pending: 'Being sent',
    delivered: 'Arrived',
    failed: 'Given up',
  } satisfies Record<NotificationBody['status'], string>,
  none: 'No notification.',
  onlyOf: 'Of one order.',
  event: 'Event',
  to: 'To',
  deleted: 'deleted endpoint',
  attempts: (count: number) => (count === 1 ? '1 attempt' : `${count} attempts`),
  next: (at: string) => `next at ${at}`,
  answered: (status: number) => `answered ${status}`,
  unanswered: 'no answer',
  resend: 'Send again',
  resendFailed: 'Send again all that were given up',
  since: 'Since',
  lastHour: 'the last hour',
  lastDay: 'the last 24 hours',
  lastWeek: 'the last 7 days',
  everywhere: 'every endpoint',
};

const zh: Same<typeof en> = {
  ofOrder: '该订单的通知',
  endpoints: '接收地址',
  noEndpoints: '尚未登记接收地址，不会发送任何通知。请通过 API 登记。',
  endpointStatus: { enabled: '已启用', disabled: '已停用：对方答复地址已失效（410）' },
  allTypes: '全部事件',
  enable: '启用',
  any: '全部',
  status: { pending: '发送中', delivered: '已送达', failed: '已放弃' },
  none: '没有通知。',
  onlyOf: '仅显示一个订单的通知。',
  event: '事件',
  to: '接收方',
  deleted: '已删除的地址',
  attempts: (count) => `已尝试 ${count} 次`,
  next: (at) => `下次 ${at}`,
  answered: (status) => `答复 ${status}`,
  unanswered: '无答复',
  resend: '重新发送',
  resendFailed: '重新发送已放弃的通知',
  since: '起始时间',
  lastHour: '最近 1 小时',
  lastDay: '最近 24 小时',
  lastWeek: '最近 7 天',
  everywhere: '所有接收地址',
};

export const notificationWords = { en, zh };
