"""OData 4.0 over the BI views: what Excel, Power BI and Tableau need to read them, and no more."""
