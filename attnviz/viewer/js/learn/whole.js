// The lesson, which a page fetches when it is first opened.
import { openPage, toggleLesson } from './lesson.js';
import { Lesson } from './panel.js';

export const lesson = { Lesson, openPage, toggleLesson };
