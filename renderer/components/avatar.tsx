/** A person's initials in a circle, with how they answer as a dot; decoration beside the name. */
import type { Person } from '../store/selectors.ts';

export function Avatar(props: {
  readonly name: string;
  readonly isSelf: boolean;
  readonly presence?: Person['presence'];
}) {
  return (
    <span className="avatar" data-self={props.isSelf} aria-hidden>
      {initialsOf(props.name)}
      {props.presence !== undefined && (
        <span className="avatar-dot" data-presence={props.presence} />
      )}
    </span>
  );
}

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** First characters, as people see them, of the first two words. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s_.-]+/u).filter((word) => word !== '');
  return words.slice(0, 2).map(firstCharacter).join('').toLocaleUpperCase();
}

function firstCharacter(word: string): string {
  for (const { segment } of characters.segment(word)) return segment;
  return '';
}
