/** What stands above the notes where nothing has been said yet; it takes room and covers nothing. */
import { MessagesSquare, UserPlus } from 'lucide-react';
import type { Conversation } from '../store/conversation.ts';
import { rowAt, rowCount } from '../store/selectors.ts';

/**
 * A longer conversation is not looked through: it holds a message, or its notes fill the screen. The list
 * keeps so many rows beyond the screen that what stands above them hides none.
 */
const LOOKED_THROUGH = 12;

export function EmptyConversation(props: {
  readonly conversation: Conversation;
  readonly onInvite: () => void;
}) {
  if (!isEmpty(props.conversation)) return null;
  return (
    <div className="list-empty">
      <MessagesSquare size={32} aria-hidden />
      <p>Nothing has been said yet. Write the first message, or invite others.</p>
      <button type="button" className="button" onClick={props.onInvite}>
        <UserPlus size={16} aria-hidden />
        Invite others
      </button>
    </div>
  );
}

function isEmpty(conversation: Conversation): boolean {
  const total = rowCount(conversation);
  if (total > LOOKED_THROUGH) return false;
  for (let position = 1; position <= total; position += 1) {
    if (rowAt(conversation, position).kind !== 'note') return false;
  }
  return true;
}
