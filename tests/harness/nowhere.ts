/** An address where nothing listens. It stands for the platforms, so that no test calls them. */
export const nowhere = 'http://127.0.0.1:9';
