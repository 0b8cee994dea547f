import ui from '../../i18n/it.json';
import match from '../../i18n/parts/match.it.json';
import type { Dictionary } from './fr';

const it: Dictionary = { ...ui, ...match };
export default it;
