/** An address where nothing listens, in place of the platforms, so that no test calls them. */
export const nowhere = 'http://127.0.0.1:9';
