import ui from '../../i18n/fr.json';
import match from '../../i18n/parts/match.fr.json';

const fr = { ...ui, ...match };
export type Dictionary = typeof fr;
export default fr;
